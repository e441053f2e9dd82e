refrendo cert suspend SERIAL - suspender un certificado hasta una fecha

  refrendo cert suspend 5c0e91a7… --as 33333333-3 --cause key-doubt

  --as RUN                   RUN de quien actúa; si no, $REFRENDO_AS (necesario)
  --cause WORD               causa legal, por su palabra (necesario)
  --reason TEXT              por qué, en palabras
  --until DATE               término del nombramiento o de la suspensión
  --dir DIR                  la instalación; si no, $REFRENDO_DIR, /var/lib/refrendo o ./refrendo-data
  --json                     JSON en la salida estándar; un rechazo como documento de problema en la de errores
  --lang es|en               idioma de lo que leen las personas
  --help                     este texto
  --socket PATH              el socket local del motor, cuando no se puede leer la configuración
  --idempotency-key KEY      para repetir un acto cuya respuesta se perdió: ocurre una vez; si no, al azar

Causas:
  key-doubt            duda sobre el control de la clave privada (Ley 19.799 art. 16)
  technical            suspensión por razones técnicas (Ley 19.799 art. 16)
