/* speak - a hash as words that can be read aloud from one room to another. */
#include "cli.h"

/* 16 x 4 x 16 x 4: twelve bits a word, said in Spanish as it is written. */
static void
put_word(unsigned bits, struct buf *out)
{
	static const char *const onset[16] = { "b", "ch", "d", "f", "j", "k",
		"l", "m", "n", "p", "pl", "r", "s", "t", "tr", "y" };
	static const char vowel[4] = { 'a', 'e', 'o', 'u' };
	buf_puts(out, onset[bits >> 8 & 15]);
	buf_putc(out, (uint8_t)vowel[bits >> 6 & 3]);
	buf_puts(out, onset[bits >> 2 & 15]);
	buf_putc(out, (uint8_t)vowel[bits & 3]);
}

/* Two words of three octets; the hash is as if a zero octet stood behind it. */
void
speak_hash(const uint8_t sha256_of[SHA256_LEN], struct buf *out)
{
	for (size_t i = 0; i < SHA256_LEN; i += 3) {
		unsigned bits = (unsigned)sha256_of[i] << 16 |
				(unsigned)sha256_of[i + 1] << 8 |
				(i + 2 < SHA256_LEN ? sha256_of[i + 2] : 0u);
		if (i > 0)
			buf_putc(out, ' ');
		put_word(bits >> 12, out);
		buf_putc(out, ' ');
		put_word(bits & 0xfff, out);
	}
}
