/* utf8 - cutting text where a character ends; private to base. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Octets (1..4) of the well-formed character at the front of p[0..len),
 * 0 when there is none (RFC 3629).
 */
size_t utf8_char(const uint8_t *p, size_t len);

/* The greatest n <= len such that text[0..n) ends with a whole character. */
size_t utf8_floor(const char *text, size_t len);

/* Copies what fits into out, NUL included. */
void utf8_clip(char *out, size_t size, const char *text);

/* Puts '?' for control characters and for what is not UTF-8. */
void utf8_clean(char *text);

#endif
