/*
 * The rows of pkix_lint.c: what is changed in the certificate of a kind.
 */
#ifndef PKIX_LINT_ROWS_H
#define PKIX_LINT_ROWS_H

#define TEN                "aaaaaaaaaa"
#define SIXTY              TEN TEN TEN TEN TEN TEN
#define RSA(e)             "30{30{06@1.2.840.113549.1.1.1 05} 03:" e "}"
#define QCS(s)             QC, "30{" s "}"
#define ETSI(n)            "06@0.4.0.1862.1." n " "
#define TYPED(s)           "30{" ETSI("6") "30{" s "}}"
#define LIMIT(s)           "30{" ETSI("2") "30{" s "}}"
#define PDS(s)             "30{" ETSI("5") "30{" s "}}"
#define ONE_PDS(url, lang) "30{16'" url "' 13'" lang "'}"
#define NATURAL            "30{06@1.3.6.1.5.5.7.11.2 30{06@0.4.0.194121.1.1}}"
#define PERSON(s)          NAME(CL ORG TITLE s GIVEN SURNAME CN)
#define HOST(s)            SAN, "30{" RUT MAILBOX "82'" s "'}"

/* clang-format off */
#define RSA_EVEN \
	"daffb2297631a992f0ce583505c6af0758d5563dab2cd31ee315128862c33a4f" \
	"b774eb5248db40af72158370d269a9a5ae658f33fe3b890b93f448b3a5aa3c81" \
	"4f426dcbb394fb36bb2d420f0f88080b10a3d6b2aa05e11ab2715945795e8229" \
	"451abd81f1d69ed617f5e837d70820fe119a72d174c9df6acc011cdd9474031b" \
	"7f26144b98289fcd59a54a7bb1fee08f571242425051c1ccd17f9acae01f5057" \
	"ca02135e92b1d3f28ede0d7ac3baea9e13deef86ab1031d0f646e1f40a097c97" \
	"6bf46c697d2caf82eeeacbe226e875555790f82ec1d3fcff2a3af4d46b0a18e8" \
	"830e07bc1e398f1012bd4acefaecbd389be4bcfc49b64a0872e6cc3ababced20"
#define RSA_1024 \
	"d7ee05cde00902c77ebff206867347214cdd2055930d6eaf14f4733f3e7d1bfb" \
	"c7a2ea20b2f14c942e05319acb5c74273f98e2774cbd87ad5c90a9587403e430" \
	"ec66a78795e761d17731af10506bf2efc6f877186d76b07e881ed162ae2eb154" \
	"7f15052434b9b5df9e7769b10f4205b4907a70c31012f037b64ce4228c38fb29"
#define P256_OFF \
	"30{30{06@1.2.840.10045.2.1 06@1.2.840.10045.3.1.7} " \
	"03:00046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" \
	"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4}"

static const struct row rows[] = {
	/* --- Serial number, algorithm, validity --- */
	{ "lint-serial-size", LINT_HOLDER, { { "serial", "02:81000000000000000000000000000000" } }, NULL },
	{ "lint-serial-size", LINT_HOLDER, { { "serial", "02:010000000000000000000000000000000000000000" } }, NULL },
	{ "lint-serial-short", LINT_HOLDER, { { "serial", "02:0102030405060708090a0b0c0d0e0f" } }, NULL },
	{ "lint-serial-entropy", LINT_HOLDER, { { "serial", "02:01020304050607" } }, NULL },
	{ "lint-algorithm-differs", LINT_HOLDER, { { "outer", RSA_256 } }, NULL },
	{ "lint-algorithm", LINT_HOLDER, { { "inner", "30{06@1.2.840.10045.4.1}" } }, "lint-algorithm-hash" },
	{ "lint-algorithm-hash", LINT_HOLDER, { { "inner", "30{06@1.2.840.113549.1.1.5 05}" } }, NULL },
	{ "lint-algorithm-parameters", LINT_HOLDER, { { "inner", "30{06@1.2.840.113549.1.1.11}" } }, NULL },
	{ "lint-algorithm-parameters", LINT_HOLDER, { { "inner", "30{06@1.2.840.10045.4.3.2 05}" } }, NULL },
	{ "lint-time-form", LINT_HOLDER, { { "validity", "30{18'20261118110640Z' 17'281117110639Z'}" } }, NULL },
	{ "lint-validity-order", LINT_HOLDER, { { "validity", "30{17'281118110640Z' 17'261117110639Z'}" } }, NULL },
	{ "lint-extra-second", LINT_HOLDER, { { "validity", "30{17'261118110640Z' 17'281117110640Z'}" } }, NULL },
	{ "lint-validity-smime", LINT_HOLDER, { { "validity", "30{17'261118110640Z' 17'290318110639Z'}" } }, NULL },
	{ "lint-unique-id", LINT_HOLDER, { { "unique", "81:0001" } }, NULL },
	/* --- Names --- */
	{ "lint-name-missing", LINT_HOLDER, { { "subject", NAME("") }, { "!" SAN, "30{" RUT MAILBOX "}" } }, "lint-critical lint-natural-country lint-natural-names lint-natural-cn lint-natural-serial" },
	{ "lint-issuer-empty", LINT_HOLDER, { { "issuer", NAME("") } }, "lint-natural-issuer" },
	{ "lint-ca-subject-empty", LINT_CA, { { "subject", NAME("") } }, NULL },
	{ "lint-subject-empty-san", LINT_HOLDER, { { "subject", NAME("") } }, "lint-natural-country lint-natural-names lint-natural-cn lint-natural-serial" },
	{ "lint-root-issuer", LINT_ROOT, { { "issuer", CA_NAME } }, NULL },
	{ "lint-own-issuer", LINT_HOLDER, { { "issuer", HOLDER } }, NULL },
	{ "lint-name-alphabet", LINT_HOLDER, { { "subject", PERSON(ATTR("2.5.4.5", "13", "a@b")) } }, NULL },
	{ "lint-name-alphabet", LINT_HOLDER, { { "subject", PERSON("31{30{06@2.5.4.5 13:2a}}") } }, NULL },
	{ "lint-name-string-type", LINT_HOLDER, { { "subject", PERSON(ATTR("2.5.4.5", "0c", "12345678-5")) } }, NULL },
	{ "lint-name-string-type", LINT_HOLDER, { { "issuer", NAME(ATTR("2.5.4.6", "0c", "CL") ORG CN) } }, NULL },
	{ "lint-name-length", LINT_HOLDER, { { "subject", PERSON(ATTR("2.5.4.5", "13", SIXTY "12345")) } }, NULL },
	{ "lint-name-country", LINT_HOLDER, { { "issuer", NAME(ATTR("2.5.4.6", "13", "UK") ORG CN) } }, NULL },
	{ "lint-name-twice", LINT_HOLDER, { { "subject", PERSON(NUMBER TITLE) } }, NULL },
	{ "lint-name-multi", LINT_HOLDER, { { "subject", PERSON("31{30{06@2.5.4.5 13'12345678-5'} 30{06@2.5.4.11 0c'Alcaldia'}}") } }, NULL },
	{ "lint-name-space", LINT_HOLDER, { { "subject", PERSON(NUMBER ATTR("2.5.4.11", "0c", "Alcaldia ")) } }, NULL },
	{ "lint-name-nothing", LINT_HOLDER, { { "subject", PERSON(NUMBER ATTR("2.5.4.11", "0c", "-.-")) } }, NULL },
	{ "lint-name-control", LINT_HOLDER, { { "subject", PERSON(NUMBER "31{30{06@2.5.4.11 0c:410942}}") } }, NULL },
	{ "lint-name-pseudonym", LINT_HOLDER, { { "subject", PERSON(NUMBER ATTR("2.5.4.65", "0c", "La Alcaldesa")) } }, NULL },
	{ "lint-name-email-form", LINT_HOLDER, { { "subject", PERSON(NUMBER EMAIL("ana")) }, { SAN, "30{" RUT MAILBOX "81'ana'}" } }, "lint-email-form" },
	{ "lint-name-email-san", LINT_HOLDER, { { "subject", PERSON(NUMBER EMAIL("ana@otra.example.cl")) } }, NULL },
	{ "lint-name-cn-mailbox", LINT_HOLDER, { { "subject", NAME(CL ORG NUMBER GIVEN SURNAME ATTR("2.5.4.3", "0c", "ana@otra.example.cl")) } }, NULL },
	{ "lint-name-cn-host", LINT_HOLDER, { { "subject", NAME(CL ORG ATTR("2.5.4.3", "0c", "www.otra.example.cl")) }, { EKU, "30{" PURPOSE("1") "}" }, { SAN, "30{82'www.example.cl'}" } }, NULL },
	{ "lint-name-ca", LINT_CA, { { "subject", NAME(CL ORG) } }, NULL },
	/* --- Key --- */
	{ "lint-key", LINT_HOLDER, { { "key", "30{30{06@1.2.840.10045.2.1 06@1.3.132.0.10} 03:0004}" } }, NULL },
	{ "lint-key-weak", LINT_HOLDER, { { "key", RSA("003082010a0282010100" RSA_EVEN "0203010001") } }, NULL },
	{ "lint-key-size", LINT_HOLDER, { { "key", RSA("0030818902818100" RSA_1024 "0203010001") } }, NULL },
	{ "lint-key-form", LINT_HOLDER, { { "key", "30{30{06@1.2.840.10045.2.1 06@1.3.6.1.4.1} 03:}" } }, NULL },
	{ "lint-key-form", LINT_HOLDER, { { "key", P256_OFF } }, NULL },
	/* --- Basic constraints, usages, purposes --- */
	{ "lint-basic-missing", LINT_HOLDER, { { BASIC, NULL } }, NULL },
	{ "lint-not-ca", LINT_CA, { { "!" BASIC, "30{}" } }, "lint-key-cert-sign" },
	{ "lint-is-ca", LINT_HOLDER, { { "!" BASIC, "30{01:ff}" } }, NULL },
	{ "lint-basic-content", LINT_HOLDER, { { "!" BASIC, "30{01:00}" } }, NULL },
	{ "lint-basic-critical", LINT_CA, { { BASIC, "30{01:ff 02:00}" } }, NULL },
	{ "lint-path-length", LINT_CA, { { "!" BASIC, "30{01:ff 02:01}" } }, NULL },
	{ "lint-path-length-usage", LINT_CA, { { "!" USAGE, "03:0102" } }, "lint-key-usage-absent" },
	{ "lint-key-usage-missing", LINT_ENDORSER, { { USAGE, NULL } }, "lint-key-usage-end" },
	{ "lint-key-usage-ca", LINT_CA, { { "!" USAGE, "03:0146" } }, NULL },
	{ "lint-key-usage-end", LINT_HOLDER, { { "!" USAGE, "03:0308" }, { EKU, "30{" EMAIL_EKU "}" } }, NULL },
	{ "lint-key-usage-key", LINT_HOLDER, { { "!" USAGE, "03:05e0" } }, NULL },
	{ "lint-key-usage-absent", LINT_CA, { { USAGE, NULL } }, NULL },
	{ "lint-key-usage-critical", LINT_HOLDER, { { USAGE, "03:06c0" } }, NULL },
	{ "lint-key-usage-empty", LINT_ENDORSER, { { "!" USAGE, "03:00" } }, NULL },
	{ "lint-key-cert-sign", LINT_HOLDER, { { "!" USAGE, "03:02c4" } }, NULL },
	{ "lint-key-usage-smime", LINT_HOLDER, { { USAGE, NULL } }, NULL },
	{ "lint-eku-critical", LINT_HOLDER, { { "!" EKU, "30{" EMAIL_EKU "}" } }, NULL },
	{ "lint-eku-endorser", LINT_ENDORSER, { { "!" EKU, "30{" ENDORSING PURPOSE("2") "}" } }, NULL },
	{ "lint-eku-endorser-elsewhere", LINT_HOLDER, { { EKU, "30{" EMAIL_EKU ENDORSING "}" } }, NULL },
	{ "lint-eku-ocsp-elsewhere", LINT_HOLDER, { { EKU, "30{" PURPOSE("9") "}" } }, NULL },
	{ "lint-eku-ocsp", LINT_OCSP, { { EKU, "30{" PURPOSE("9") PURPOSE("2") "}" } }, NULL },
	{ "lint-eku-any", LINT_HOLDER, { { EKU, "30{" EMAIL_EKU "06@2.5.29.37.0}" } }, NULL },
	{ "lint-eku-any-critical", LINT_HOLDER, { { "!" EKU, "30{06@2.5.29.37.0}" } }, "lint-eku-any" },
	{ "lint-eku-mixed", LINT_HOLDER, { { EKU, "30{" EMAIL_EKU PURPOSE("3") "}" } }, NULL },
	{ "lint-eku-time", LINT_HOLDER, { { EKU, "30{" PURPOSE("8") "}" } }, NULL },
	{ "lint-eku-twice", LINT_HOLDER, { { EKU, "30{" EMAIL_EKU EMAIL_EKU "}" } }, NULL },
	{ "lint-eku-usage", LINT_HOLDER, { { "!" USAGE, "03:0640" } }, NULL },
	/* --- Key identifiers --- */
	{ "lint-key-ids", LINT_HOLDER, { { SKI, NULL } }, "lint-ski-missing-end" },
	{ "lint-root-key-ids", LINT_ROOT, { { AKI, "30{80:" KEY_ID "}" } }, NULL },
	{ "lint-aki-missing", LINT_HOLDER, { { AKI, NULL } }, NULL },
	{ "lint-aki-critical", LINT_HOLDER, { { "!" AKI, "30{80:" ISSUER_ID "}" } }, NULL },
	{ "lint-aki-key-id", LINT_HOLDER, { { AKI, "30{a1{a4{" CA_NAME "}} 82:01}" } }, "lint-aki-issuer" },
	{ "lint-aki-issuer", LINT_HOLDER, { { AKI, "30{80:" ISSUER_ID " a1{a4{" CA_NAME "}} 82:01}" } }, NULL },
	{ "lint-ski-missing-ca", LINT_CA, { { SKI, NULL } }, NULL },
	{ "lint-ski-missing-end", LINT_HOLDER, { { SKI, NULL } }, NULL },
	{ "lint-ski-critical", LINT_HOLDER, { { "!" SKI, "04:" KEY_ID } }, NULL },
	/* --- Other extensions --- */
	{ "lint-critical", LINT_HOLDER, { { "!" IAN, "30{" RUT "}" } }, "lint-critical-alt" },
	{ "lint-extension", LINT_HOLDER, { { "1.3.6.1.4.1.11129.2.4.3", "05" } }, NULL },
	{ "lint-extension-empty", LINT_HOLDER, { { IAN, "30{}" } }, NULL },
	{ "lint-extension-twice", LINT_HOLDER, { { "+" IAN, "30{" RUT "}" } }, NULL },
	{ "lint-critical-access", LINT_HOLDER, { { "!" AIA, "30{" OCSP("86'http://ocsp.example.cl/'") ISSUERS("86'http://ca.example.cl/1.cer'") "}" } }, NULL },
	{ "lint-critical-access", LINT_CA, { { "!" SIA, "30{" OCSP("86'http://ocsp.example.cl/'") "}" } }, NULL },
	{ "lint-critical-directory", LINT_HOLDER, { { "!" DIRECTORY, "30{30{06@1.3.6.1.5.5.7.9.4 31{13'CL'}}}" } }, NULL },
	{ "lint-critical-freshest", LINT_HOLDER, { { "!" FRESHEST, "30{" URLS("http://crl.example.cl/d.crl") "}" } }, NULL },
	{ "lint-critical-alt", LINT_HOLDER, { { "!" SAN, "30{" RUT MAILBOX "}" } }, NULL },
	{ "lint-critical-crldp", LINT_HOLDER, { { "!" CRLDP, "30{" URLS("http://crl.example.cl/1.crl") "}" } }, NULL },
	{ "lint-critical-nocheck", LINT_OCSP, { { "!" NOCHECK, "05" } }, NULL },
	{ "lint-key-period", LINT_HOLDER, { { PERIOD, "30{80'20261118110640Z'}" } }, NULL },
	{ "lint-constraints-critical", LINT_CA, { { NC, "30{a0{30{82'example.cl'}}}" } }, NULL },
	{ "lint-constraints-end", LINT_HOLDER, { { "!" NC, "30{a0{30{82'example.cl'}}}" } }, NULL },
	{ "lint-constraints-empty", LINT_CA, { { "!" NC, "30{}" } }, NULL },
	{ "lint-constraints-range", LINT_CA, { { "!" NC, "30{a0{30{82'example.cl' 81:02}}}" } }, NULL },
	{ "lint-constraints-kind", LINT_CA, { { "!" NC, "30{a1{30{88:2a03}}}" } }, NULL },
	{ "lint-constraints-form", LINT_CA, { { "!" NC, "30{a0{30{87:0a000000}}}" } }, NULL },
	{ "lint-constraints-form", LINT_CA, { { "!" NC, "30{a0{30{87:0a000000ff00ff00}}}" } }, NULL },
	{ "lint-constraints-form", LINT_CA, { { "!" NC, "30{a0{30{86'http://example.cl/'}}}" } }, NULL },
	{ "lint-policy-constraints-critical", LINT_CA, { { PC, "30{80:00}" } }, NULL },
	{ "lint-policy-constraints-empty", LINT_CA, { { "!" PC, "30{}" } }, NULL },
	{ "lint-inhibit-critical", LINT_CA, { { INHIBIT, "02:00" } }, NULL },
	{ "lint-policy-path-end", LINT_HOLDER, { { "!" INHIBIT, "02:00" } }, NULL },
	{ "lint-mapping-any", LINT_CA, { { "!" MAPPINGS, "30{30{" ANY_POLICY POLICY "}}" } }, NULL },
	{ "lint-mapping-critical", LINT_CA, { { MAPPINGS, "30{30{" POLICY "06@2.16.152.1.3.2}}" } }, NULL },
	{ "lint-no-revocation-ca", LINT_CA, { { NOREV, "05" }, { CRLDP, NULL } }, NULL },
	{ "lint-no-revocation-critical", LINT_ENDORSER, { { "!" NOREV, "05" } }, NULL },
	{ "lint-no-revocation-form", LINT_ENDORSER, { { NOREV, "30{}" } }, NULL },
	{ "lint-no-revocation-beside", LINT_HOLDER, { { NOREV, "05" } }, NULL },
	/* --- Alternative names --- */
	{ "lint-san-missing", LINT_HOLDER, { { SAN, NULL } }, "lint-san-email-missing" },
	{ "lint-rut-form", LINT_HOLDER, { { SAN, "30{a0{06@1.3.6.1.4.1.8321.1 a0{16'12345678-9'}}" MAILBOX "}" } }, NULL },
	{ "lint-email-form", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "81'ana'}" } }, NULL },
	{ "lint-san-twice", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "81'ANA@municipio.example.cl'}" } }, NULL },
	{ "lint-san-email-missing", LINT_HOLDER, { { SAN, "30{" RUT "}" } }, NULL },
	{ "lint-alt-kind", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "88:2a03}" } }, NULL },
	{ "lint-alt-alphabet", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "81:6ef1406578}" } }, NULL },
	{ "lint-alt-alphabet", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "a4{31}}" } }, NULL },
	{ "lint-dns-form", LINT_HOLDER, { { HOST("www..example.cl") } }, NULL },
	{ "lint-dns-form", LINT_HOLDER, { { HOST(SIXTY "aaaa.example.cl") } }, NULL },
	{ "lint-dns-form", LINT_HOLDER, { { HOST("-www.example.cl") } }, NULL },
	{ "lint-dns-underscore", LINT_HOLDER, { { HOST("w_w.example.cl") } }, NULL },
	{ "lint-dns-hyphens", LINT_HOLDER, { { HOST("ab--c.example.cl") } }, NULL },
	{ "lint-dns-idn", LINT_HOLDER, { { HOST("xn--a.example.cl") } }, NULL },
	{ "lint-dns-wildcard", LINT_HOLDER, { { HOST("w*.example.cl") } }, NULL },
	{ "lint-dns-internal", LINT_HOLDER, { { HOST("correo.municipio.local") } }, NULL },
	{ "lint-dns-internal", LINT_HOLDER, { { HOST("correo") } }, NULL },
	{ "lint-ip-form", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "87:c80102}" } }, NULL },
	{ "lint-ip-reserved", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "87:ac1f0001}" } }, NULL },
	{ "lint-ip-reserved", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "87:fd000000000000000000000000000001}" } }, NULL },
	{ "lint-uri-form", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "86'/a/b'}" } }, NULL },
	{ "lint-uri-form", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "86'http://a.example.cl/a b'}" } }, NULL },
	{ "lint-uri-host", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "86'http://a/b'}" } }, NULL },
	{ "lint-smtp-utf8", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "a0{06@1.3.6.1.5.5.7.8.9 a0{0c'ana@example.cl'}}}" } }, NULL },
	{ "lint-smtp-utf8", LINT_HOLDER, { { SAN, "30{" RUT MAILBOX "a0{06@1.3.6.1.5.5.7.8.9 a0{16'ana@example.cl'}}}" } }, NULL },
	/* --- Where status and issuer are found --- */
	{ "lint-url", LINT_HOLDER, { { CRLDP, "30{" URLS("http://crl.example.cl/1.crl") URLS("https://crl.example.cl/1.crl") "}" } }, NULL },
	{ "lint-crldp-incomplete", LINT_HOLDER, { { CRLDP, "30{" URLS("http://crl.example.cl/1.crl") "30{81:0780}}" } }, "lint-crldp-parts" },
	{ "lint-crldp-parts", LINT_HOLDER, { { CRLDP, "30{30{a0{a0{86'http://crl.example.cl/1.crl'}} 81:0780}}" } }, NULL },
	{ "lint-crldp-http", LINT_HOLDER, { { CRLDP, "30{" URLS("ldap://crl.example.cl/cn=1") "}" } }, NULL },
	{ "lint-crldp-missing", LINT_HOLDER, { { CRLDP, NULL } }, NULL },
	{ "lint-freshest-alone", LINT_HOLDER, { { CRLDP, NULL }, { FRESHEST, "30{" URLS("http://crl.example.cl/1-delta.crl") "}" } }, "lint-crldp-missing" },
	{ "lint-freshest-kind", LINT_ENDORSER, { { CRLDP, "30{" URLS("http://crl.example.cl/1.crl") "}" }, { FRESHEST, "30{" URLS("http://crl.example.cl/1-delta.crl") "}" } }, NULL },
	{ "lint-aia-kind", LINT_HOLDER, { { AIA, "30{" OCSP("86'http://ocsp.example.cl/'") ISSUERS("86'http://ca.example.cl/1.cer'") ISSUERS("82'ca.example.cl'") "}" } }, NULL },
	{ "lint-aia-http", LINT_HOLDER, { { AIA, "30{" OCSP("86'https://ocsp.example.cl/'") ISSUERS("86'http://ca.example.cl/1.cer'") "}" } }, NULL },
	{ "lint-aia-missing", LINT_HOLDER, { { AIA, "30{" OCSP("86'http://ocsp.example.cl/'") "}" } }, NULL },
	{ "lint-aia-internal", LINT_HOLDER, { { CRLDP, "30{" URLS("http://crl.municipio.local/1.crl") "}" } }, NULL },
	/* --- Certificate policies --- */
	{ "lint-policies", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{30{06@1.3.6.1.5.5.7.2.3 05}}}}" } }, NULL },
	{ "lint-policies-twice", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "} 30{" POLICY "}}" } }, NULL },
	{ "lint-policies-any", LINT_HOLDER, { { POLICIES, "30{30{" ANY_POLICY "}}" } }, NULL },
	{ "lint-policies-missing", LINT_HOLDER, { { POLICIES, NULL } }, NULL },
	{ "lint-policies-qualifier", LINT_CA, { { POLICIES, "30{30{" ANY_POLICY "30{30{06@1.3.6.1.5.5.7.2.3 05}}}}" } }, NULL },
	{ "lint-notice-length", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{" NOTICE("0c'" SIXTY SIXTY SIXTY TEN TEN "a'") "}}}" } }, NULL },
	{ "lint-notice-type", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{" NOTICE("16'Firma'") "}}}" } }, NULL },
	{ "lint-notice-utf8", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{" NOTICE("1a'Firma'") "}}}" } }, NULL },
	{ "lint-notice-reference", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{" NOTICE("30{0c'Municipio' 30{02:01}} 0c'Firma'") "}}}" } }, NULL },
	{ "lint-notice-control", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{" NOTICE("0c:46690a726d61") "}}}" } }, NULL },
	{ "lint-cps-form", LINT_HOLDER, { { POLICIES, "30{30{" POLICY "30{" CPS("16'estado.example.cl/cps'") "}}}" } }, NULL },
	/* --- OCSP responders --- */
	{ "lint-nocheck-elsewhere", LINT_HOLDER, { { NOCHECK, "05" } }, NULL },
	{ "lint-ocsp-extensions", LINT_OCSP, { { NOCHECK, NULL } }, NULL },
	{ "lint-ocsp-usage", LINT_OCSP, { { "!" USAGE, "03:06c0" } }, NULL },
	{ "lint-ocsp-life", LINT_OCSP, { { "validity", "30{17'261118110640Z' 17'261219110639Z'}" } }, NULL },
	/* --- Qualified certificates and natural persons --- */
	{ "lint-qc-form", LINT_HOLDER, { { QC, "30{05}" } }, NULL },
	{ "lint-qc-critical", LINT_HOLDER, { { "!" QCS("30{" ETSI("1") "}") } }, NULL },
	{ "lint-qc-twice", LINT_HOLDER, { { QCS("30{" ETSI("1") "} 30{" ETSI("1") "}") } }, NULL },
	{ "lint-qc-statement-type", LINT_HOLDER, { { QCS("30{" ETSI("6.1") "}") } }, NULL },
	{ "lint-qc-info", LINT_HOLDER, { { QCS("30{" ETSI("1") "05}") } }, NULL },
	{ "lint-qc-type-one", LINT_HOLDER, { { QCS(TYPED(ETSI("6.1") ETSI("6.2"))) } }, NULL },
	{ "lint-qc-type-known", LINT_HOLDER, { { QCS(TYPED(ETSI("6.4"))) } }, NULL },
	{ "lint-qc-type-web", LINT_HOLDER, { { QCS(TYPED(ETSI("6.3"))) } }, NULL },
	{ "lint-qc-type-sign", LINT_HOLDER, { { QCS(TYPED(ETSI("6.1"))) }, { "!" USAGE, "03:0780" } }, NULL },
	{ "lint-qc-sscd", LINT_HOLDER, { { QCS("30{" ETSI("4") "}") } }, NULL },
	{ "lint-qc-currency", LINT_HOLDER, { { QCS(LIMIT("13'XYZ' 02:01 02:06")) } }, NULL },
	{ "lint-qc-currency", LINT_HOLDER, { { QCS(LIMIT("02:00 02:01 02:06")) } }, NULL },
	{ "lint-qc-limit", LINT_HOLDER, { { QCS(LIMIT("13'CLP' 02:ff 02:06")) } }, NULL },
	{ "lint-qc-retention", LINT_HOLDER, { { QCS("30{" ETSI("3") "13'15'}") } }, NULL },
	{ "lint-qc-pds", LINT_HOLDER, { { QCS(PDS("30{16'https://a.example.cl/' 13'en' 05}")) } }, NULL },
	{ "lint-qc-pds-https", LINT_HOLDER, { { QCS(PDS(ONE_PDS("http://a.example.cl/", "en"))) } }, NULL },
	{ "lint-qc-pds-language", LINT_HOLDER, { { QCS(PDS(ONE_PDS("https://a.example.cl/", "en") ONE_PDS("https://a.example.cl/", "xx"))) } }, NULL },
	{ "lint-qc-pds-case", LINT_HOLDER, { { QCS(PDS(ONE_PDS("https://a.example.cl/", "EN"))) } }, NULL },
	{ "lint-qc-pds-english", LINT_HOLDER, { { QCS(PDS(ONE_PDS("https://a.example.cl/", "es"))) } }, NULL },
	{ "lint-qc-pds-twice", LINT_HOLDER, { { QCS(PDS(ONE_PDS("https://a.example.cl/", "en") ONE_PDS("https://b.example.cl/", "en"))) } }, NULL },
	{ "lint-qc-country", LINT_HOLDER, { { QCS("30{" ETSI("7") "30{13'UK'}}") } }, NULL },
	{ "lint-qc-usage", LINT_HOLDER, { { QCS(TYPED(ETSI("6.1"))) }, { "!" USAGE, "03:0348" } }, NULL },
	{ "lint-qc-usage", LINT_HOLDER, { { QCS("30{" ETSI("1") "}") }, { "!" USAGE, "03:0348" }, { EKU, "30{" EMAIL_EKU "}" } }, NULL },
	{ "lint-semantics", LINT_HOLDER, { { QCS("30{06@1.3.6.1.5.5.7.11.2 30{}}") } }, NULL },
	{ "lint-semantics-serial", LINT_HOLDER, { { QCS(NATURAL) } }, NULL },
	{ "lint-semantics-serial", LINT_HOLDER, { { "subject", PERSON(ATTR("2.5.4.5", "13", "IDCUK-12345678-5")) } }, NULL },
	{ "lint-organization-id", LINT_HOLDER, { { "subject", PERSON(NUMBER ATTR("2.5.4.97", "0c", "60100003-2")) } }, NULL },
	{ "lint-natural-country", LINT_HOLDER, { { "subject", NAME(ORG NUMBER GIVEN SURNAME CN) } }, NULL },
	{ "lint-natural-names", LINT_HOLDER, { { "subject", NAME(CL ORG NUMBER SURNAME CN) } }, NULL },
	{ "lint-natural-cn", LINT_HOLDER, { { "subject", NAME(CL ORG NUMBER GIVEN SURNAME) } }, NULL },
	{ "lint-natural-serial", LINT_HOLDER, { { "subject", NAME(CL ORG GIVEN SURNAME CN) } }, NULL },
	{ "lint-natural-twice", LINT_HOLDER, { { "subject", NAME(CL ORG NUMBER NUMBER GIVEN SURNAME CN) } }, "lint-name-twice" },
	{ "lint-natural-issuer", LINT_HOLDER, { { "issuer", NAME(ORG CN) } }, NULL },
};
/* clang-format on */

#endif
