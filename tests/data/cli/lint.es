refrendo lint FILE… - qué tienen mal certificados y CRL de cualquiera; estado 6 si hay errores

  refrendo lint maria.pem emisora.crl

  --dir DIR                  la instalación; si no, $REFRENDO_DIR, /var/lib/refrendo o ./refrendo-data
  --json                     JSON en la salida estándar; un rechazo como documento de problema en la de errores
  --lang es|en               idioma de lo que leen las personas
  --help                     este texto
  --profile KIND             holder, ca, cross, root, ocsp o endorser: con las reglas de la casa; any: solo las normas (lo usual)
