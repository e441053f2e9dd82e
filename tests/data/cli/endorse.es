refrendo endorse NUMBER - certificar una solicitud como ministra o ministro de fe

  refrendo endorse SOL-2026-000001 --key ana.key --cert ana.pem

  --as RUN                   RUN de quien actúa; si no, $REFRENDO_AS
  --cms FILE                 archivo con la firma CMS separada de la declaración, DER o PEM
  --dir DIR                  la instalación; si no, $REFRENDO_DIR, /var/lib/refrendo o ./refrendo-data
  --json                     JSON en la salida estándar; un rechazo como documento de problema en la de errores
  --lang es|en               idioma de lo que leen las personas
  --help                     este texto
  --socket PATH              el socket local del motor, cuando no se puede leer la configuración
  --idempotency-key KEY      para repetir un acto cuya respuesta se perdió: ocurre una vez; si no, al azar
  --yes                      no preguntar antes de firmar o destruir; necesario donde no hay terminal
  --key URI                  llave privada de quien firma: un archivo o pkcs11:…; se pide su frase de paso
  --cert FILE                certificado de esa llave
