/* options - what each option is, in both languages. */
#include "cli.h"

/* clang-format off */
#define X(name, word, value) [name] = { word, value, name##_EN, name##_ES },
#define OPT_DIR_EN "the installation; else $REFRENDO_DIR, /var/lib/refrendo or ./refrendo-data"
#define OPT_DIR_ES "la instalación; si no, $REFRENDO_DIR, /var/lib/refrendo o ./refrendo-data"
#define OPT_JSON_EN "JSON on standard output; a refusal as a problem document on standard error"
#define OPT_JSON_ES "JSON en la salida estándar; un rechazo como documento de problema en la de errores"
#define OPT_LANG_EN "language of what people read"
#define OPT_LANG_ES "idioma de lo que leen las personas"
#define OPT_HELP_EN "this text"
#define OPT_HELP_ES "este texto"
#define OPT_SOCKET_EN "the engine's local socket, where the configuration cannot be read"
#define OPT_SOCKET_ES "el socket local del motor, cuando no se puede leer la configuración"
#define OPT_IDEMPOTENCY_KEY_EN "to repeat an act whose answer was lost: it happens once; else drawn at random"
#define OPT_IDEMPOTENCY_KEY_ES "para repetir un acto cuya respuesta se perdió: ocurre una vez; si no, al azar"
#define OPT_OUT_EN "write to this file instead of standard output"
#define OPT_OUT_ES "escribir en este archivo y no en la salida estándar"
#define OPT_AFTER_EN "go on after this page: the next of the page before"
#define OPT_AFTER_ES "seguir después de esta página: el next de la anterior"
#define OPT_LIMIT_EN "rows, 1 to 500"
#define OPT_LIMIT_ES "filas, 1 a 500"
#define OPT_ALL_EN "every page"
#define OPT_ALL_ES "todas las páginas"
#define OPT_BLOBS_EN "with statements, evidence and certificates"
#define OPT_BLOBS_ES "con declaraciones, evidencias y certificados"
#define OPT_YES_EN "do not ask before signing or destroying; needed where there is no terminal"
#define OPT_YES_ES "no preguntar antes de firmar o destruir; necesario donde no hay terminal"
#define OPT_KEY_EN "private key of whoever signs: a file or pkcs11:…; its passphrase is asked for"
#define OPT_KEY_ES "llave privada de quien firma: un archivo o pkcs11:…; se pide su frase de paso"
#define OPT_CERT_EN "certificate of that key"
#define OPT_CERT_ES "certificado de esa llave"
#define OPT_LOG_KEY_EN "public key of the log, PEM: the only thing that is trusted"
#define OPT_LOG_KEY_ES "llave pública de la bitácora, PEM: lo único en que se confía"
#define OPT_ORIGIN_EN "name of the log in its checkpoints"
#define OPT_ORIGIN_ES "nombre de la bitácora en sus sellos"
#define OPT_PUBLIC_URL_EN "where OCSP and CRLs are served: stands in certificates"
#define OPT_PUBLIC_URL_ES "donde se sirven OCSP y CRL: va en los certificados"
#define OPT_LISTEN_EN "address and port that status listens on"
#define OPT_LISTEN_ES "dirección y puerto donde escucha el servicio de estado"
#define OPT_ALGORITHM_EN "keys: ec (root P-384, others P-256), rsa or rsa-pss (4096, 3072), ml-dsa (87, 65, responder 44)"
#define OPT_ALGORITHM_ES "llaves: ec (raíz P-384, las demás P-256), rsa o rsa-pss (4096, 3072), ml-dsa (87, 65, respondedor 44)"
#define OPT_KEYS_EN "other types for some: root, issuer, endorser, responder, officer; as in issuer=rsa-pss-3072,responder=ec-p256"
#define OPT_KEYS_ES "otros tipos para algunas: root, issuer, endorser, responder, officer; como issuer=rsa-pss-3072,responder=ec-p256"
#define OPT_OFFICER_RUN_EN "RUN of the first platform officer"
#define OPT_OFFICER_RUN_ES "RUN de el primer oficial de plataforma"
#define OPT_OFFICER_NAME_EN "name of the first platform officer"
#define OPT_OFFICER_NAME_ES "nombre de el primer oficial de plataforma"
#define OPT_OFFICER_CERT_EN "a certificate that the officer has already; else a key is made"
#define OPT_OFFICER_CERT_ES "un certificado que el oficial ya tiene; si no, se crea una llave"
#define OPT_OFFICERS_EN "more platform officers, a line each: RUN, file of the certificate, name"
#define OPT_OFFICERS_ES "más oficiales de plataforma, uno por línea: RUN, archivo del certificado, nombre"
#define OPT_QUORUM_EN "officers who must sign ministers, policies and ceremonies; else 1"
#define OPT_QUORUM_ES "oficiales que deben firmar ministros, políticas y ceremonias; si no, 1"
#define OPT_CN_EN "common name in the request; the authority ignores it"
#define OPT_CN_ES "nombre en la solicitud; la autoridad no lo considera"
#define OPT_TYPE_EN "ec-p256, ec-p384, rsa-3072, rsa-4096, rsa-pss-3072, rsa-pss-4096, ed25519, ml-dsa-44, ml-dsa-65 or ml-dsa-87"
#define OPT_TYPE_ES "ec-p256, ec-p384, rsa-3072, rsa-4096, rsa-pss-3072, rsa-pss-4096, ed25519, ml-dsa-44, ml-dsa-65 o ml-dsa-87"
#define OPT_KEY_OUT_EN "where the new private key is written, encrypted"
#define OPT_KEY_OUT_ES "donde se escribe la nueva llave privada, cifrada"
#define OPT_DER_EN "DER instead of PEM"
#define OPT_DER_ES "DER en vez de PEM"
#define OPT_CEILINGS_EN "signer.yaml to judge by; else that of the installation"
#define OPT_CEILINGS_ES "signer.yaml con el que se juzga; si no, el de la instalación"
#define OPT_EXPORT_EN "an export of the log; else the engine is asked"
#define OPT_EXPORT_ES "una exportación de la bitácora; si no, se pregunta al motor"
#define OPT_CHECK_EN "only look: demo ends after the last step, fmt changes no file"
#define OPT_CHECK_ES "sólo mirar: demo termina después del último paso, fmt no cambia ningún archivo"
#define OPT_VERSION_EN "the version of the policy"
#define OPT_VERSION_ES "la versión de la política"
#define OPT_KEEP_EN "keep the files"
#define OPT_KEEP_ES "conservar los archivos"
#define OPT_SINCE_EN "from then on: 90d for the last 90 days, or a date; 90d if left out"
#define OPT_SINCE_ES "desde entonces: 90d para los últimos 90 días, o una fecha; si falta, 90d"
#define OPT_JOURNAL_EN "the signer's journal, to be compared with the log both ways"
#define OPT_JOURNAL_ES "el diario del firmador, que se compara con la bitácora en ambos sentidos"
#define OPT_DUE_EN "list the certificates that are in their window and were not renewed"
#define OPT_DUE_ES "listar los certificados que están en su plazo y no se han renovado"
#define OPT_DEEP_EN "rebuild every certificate as well, and compare"
#define OPT_DEEP_ES "reconstruir además cada certificado, y comparar"
#define OPT_POLICY_EN "judge by this file as well"
#define OPT_POLICY_ES "juzgar también con este archivo"
#define OPT_PACK_EN "the status pack"
#define OPT_PACK_ES "el paquete de estado"
#define OPT_MAX_AGE_EN "how old the pack may be, 12h or 2d; else until its lists end"
#define OPT_MAX_AGE_ES "antigüedad máxima del paquete, 12h o 2d; si no, hasta que venzan sus listas"
#define OPT_TO_EN "the directory that the web server serves; made if it is not there"
#define OPT_TO_ES "el directorio que sirve el servidor web; se crea si no existe"
#define OPT_EVERY_EN "stay, and look for changes after each pause: 1s to 1h; else once"
#define OPT_EVERY_ES "quedarse, y buscar cambios tras cada pausa: 1s a 1h; si no, una vez"
#define OPT_FULL_EN "compare every file with what is published, not only what changed"
#define OPT_FULL_ES "comparar cada archivo con lo publicado, no sólo lo que cambió"
#define OPT_PROFILE_EN "holder, ca, cross, root, ocsp or endorser: with the rules of the house; any: standards alone (default)"
#define OPT_PROFILE_ES "holder, ca, cross, root, ocsp o endorser: con las reglas de la casa; any: solo las normas (lo usual)"

#define OPT_ISSUER_EN "certificate of the CA that issued it"
#define OPT_ISSUER_ES "certificado de la autoridad que lo emitió"
#define OPT_SERIAL_EN "serial number, two hexadecimal digits for each octet"
#define OPT_SERIAL_ES "número de serie, dos dígitos hexadecimales por octeto"
#define OPT_URL_EN "the responder, http://…; else the certificate says where it is"
#define OPT_URL_ES "el respondedor, http://…; si no, el certificado dice dónde está"
#define OPT_GET_EN "ask by GET; else GET where the address stays short enough for caches"
#define OPT_GET_ES "consultar con GET; si no, GET cuando la dirección queda corta para los cachés"
#define OPT_POST_EN "ask by POST"
#define OPT_POST_ES "consultar con POST"
#define OPT_NONCE_EN "send a nonce of 32 octets: the answer is then of this moment"
#define OPT_NONCE_ES "enviar un nonce de 32 octetos: la respuesta es entonces de este momento"
#define OPT_NONCE_SIZE_EN "send a nonce of so many octets, 1 to 128"
#define OPT_NONCE_SIZE_ES "enviar un nonce de tantos octetos, 1 a 128"
#define OPT_SHA1_EN "name the issuer by SHA-1 only; else by SHA-256, then by SHA-1"
#define OPT_SHA1_ES "nombrar a la emisora sólo con SHA-1; si no, con SHA-256 y después con SHA-1"
#define OPT_SHA256_EN "name the issuer by SHA-256 only"
#define OPT_SHA256_ES "nombrar a la emisora sólo con SHA-256"
#define OPT_TIMEOUT_EN "wait so long for each answer, 1 to 300; else 10"
#define OPT_TIMEOUT_ES "esperar tanto cada respuesta, 1 a 300; si no, 10"
#define OPT_BASE_EN "the complete CRL that a delta amends"
#define OPT_BASE_ES "la CRL completa que una delta enmienda"
#define OPT_FROM_CRL_EN "the CRL before: its entries stay, and the number is the next"
#define OPT_FROM_CRL_ES "la CRL anterior: sus entradas quedan, y el número es el siguiente"
#define OPT_NUMBER_EN "number of the CRL; else the next of --previous, or 1"
#define OPT_NUMBER_ES "número de la CRL; si no, el siguiente de --previous, o 1"
#define OPT_LIFE_EN "how long it is valid: 180d; else 90d"
#define OPT_LIFE_ES "cuánto vale: 180d; si no, 90d"
#define OPT_SHARES_EN "how many shares: 2 to 16"
#define OPT_SHARES_ES "cuántas partes: 2 a 16"
#define OPT_THRESHOLD_EN "how many of them are needed, 2 or more"
#define OPT_THRESHOLD_ES "cuántas de ellas se necesitan, 2 o más"
#define OPT_ROOT_EN "certificate of an offline root: init asks it by a ceremony"
#define OPT_ROOT_ES "certificado de una raíz fuera de línea: init le pide por una ceremonia"
#define OPT_ANSWER_EN "what the offline root signed: finishes the init that asked for it"
#define OPT_ANSWER_ES "lo que firmó la raíz fuera de línea: termina el init que lo pidió"

const struct option_def cli_options[OPT_COUNT] = {
	CLI_OPTIONS(X)
};
#undef X

/* The help of ca_fields in Spanish. */
const char *const cli_fields_es[CF_COUNT] = {
	[CF_MANDATE] = "mandato de renovación, MAN-2026-000001",
	[CF_RENEWALS] = "cuántas renovaciones permite un mandato, de 1 a 1000",
	[CF_CERTIFICATE] = "archivo con el certificado de una CA que no es de esta instalación, DER o PEM",
	[CF_KEY_TYPE] = "tipo de la llave de una CA: ec-p256 (si no se indica; de una llave nueva de una CA, el tipo de la anterior), ec-p384, rsa-3072, rsa-pss-3072, ml-dsa-65 y similares",
	[CF_REPLACES] = "CA cuya llave reemplaza la nueva, con el mismo titular",
	[CF_KEY] = "clave de idempotencia",
	[CF_AS] = "RUN de quien actúa; si no, $REFRENDO_AS",
	[CF_RUT] = "RUT de la institución",
	[CF_RUN] = "RUN de la persona de que se trata",
	[CF_NAME] = "nombre de la persona o institución",
	[CF_OFFICE] = "cargo de la persona",
	[CF_EMAIL] = "correo institucional",
	[CF_OPERATOR] = "la persona es operadora de la institución",
	[CF_CSR] = "archivo PKCS #10, DER o PEM: sólo se toma su llave",
	[CF_CMS] = "archivo con la firma CMS separada de la declaración, DER o PEM",
	[CF_POLICY] = "nombre de la política",
	[CF_REQUEST] = "solicitud, SOL-2026-000001",
	[CF_APPOINTMENT] = "nombramiento, NOM-2026-000001",
	[CF_SERIAL] = "número de serie del certificado, en hexadecimal",
	[CF_CAUSE] = "causa legal, por su palabra",
	[CF_REASON] = "por qué, en palabras",
	[CF_FROM] = "primer instante del nombramiento, o de las políticas en vigor",
	[CF_UNTIL] = "término del nombramiento o de la suspensión",
	[CF_INVALID_SINCE] = "desde cuándo se sabe o teme que la llave está comprometida",
	[CF_ACT_NUMBER] = "número de la resolución o decreto",
	[CF_ACT_DATE] = "fecha de la resolución o decreto",
	[CF_DEPUTY] = "es ministro o ministra de fe subrogante",
	[CF_VALIDITY] = "cuánto ha de durar el certificado, 2y o 90d",
	[CF_DRAFT] = "dejarla como borrador por ahora",
	[CF_KIND] = "official, authority, minister, system o subordinate-ca; de una institución: ministry, service, municipality, university, court u other",
	[CF_ACTIVATION] = "activación de políticas, POL-2026-000001",
	[CF_FILES] = "archivos de políticas, 1 a 12, juntos a lo más 96 KiB",
	[CF_CEREMONY] = "ceremonia de la raíz, CER-2026-000001",
	[CF_ANSWER] = "respuesta de la raíz, como la escribe ceremony sign",
	[CF_ATTRIBUTE] = "lo que las políticas pueden preguntar de la persona, grade=5; los dados reemplazan a todos los anteriores, y sin valor se quita",
};
/* clang-format on */
