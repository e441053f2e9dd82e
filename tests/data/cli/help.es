refrendo - sin certificación no hay firma

  refrendo init --officer-run 11111111-1 --officer-name "Olga Soto"
  refrendo serve
  refrendo request ls

Comandos; agregue --help a cualquiera:

  init         crear una instalación: llaves, certificados, configuración, bitácora
  status       pack | check
  serve        hacer andar el motor hasta SIGTERM
  demo         la historia completa con datos que crea sola
  verify-code  el código de una declaración, para comparar a la vista
  version      versión del programa y de OpenSSL
  help         qué se puede hacer, y cómo; qué significa el código de un hallazgo
  doctor       qué anda mal en una instalación
  inst         add | enable | suspend | close | appoint | ls | show
  person       add | ls | show
  appointment  propose | confirm | end | withdraw | ls | show | statement | get
  request      new | submit | ls | show | statement | return | reject | withdraw | retry
  endorse      certificar una solicitud como ministra o ministro de fe
  renew        solicitar el sucesor de un certificado, o listar los que lo requieren
  mandate      propose | ls | show | statement | endorse | end
  cert         ls | show | get | chain | renew | revoke | suspend | reinstate
  csr          new | inspect
  policy       check | show | explain | simulate | activate | endorse | withdraw | activations | activation | statement | history | ls | fmt | diff | schema
  crl          ls | show | verify | diff | build
  ocsp         query | check | stats
  metrics      cifras del motor, como las lee Prometheus
  health       si el motor está bien, según un cliente de su estado: estado de salida 1 si no
  publish      mantener un directorio que sirve cualquier servidor web: OCSP por GET, CRL, bitácora
  audit        export | verify | reproduce | replay | prove | journal
  lint         qué tienen mal certificados y CRL de cualquiera; estado 6 si hay errores
  keys         drop | passphrase | split
  ceremony     request | crl | cross | destroy | ceilings | adopt | endorse | get | statement | export | import | withdraw | ls | show | root | check | sign
  ca           create | rollover | ls | show | get | stop | campaign

Estado de salida: 0 hecho, 1 error, 2 uso, 3 no existe, 4 no permitido,
5 conflicto, 6 rechazado por política o reglas, 7 verificación fallida,
8 no disponible (repita con la misma --idempotency-key), 9 hecho en parte; del estado de un certificado:
10 revocado, 11 desconocido.
