/*
 * replay - runs a fuzz target over the files of its corpus, with any
 * compiler.  Exit 1 when a directory is missing or empty: a corpus that
 * vanished must not pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *dir, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return 1;
	}
	static uint8_t data[1 << 20];
	size_t len = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* A copy of the exact size lets a sanitizer see one octet too many. */
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	if (copy == NULL)
		return 1;
	for (size_t i = 0; i < len; i++)
		copy[i] = data[i];
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	return 0;
}

int
main(int argc, char **argv)
{
	int files = 0;
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		if (d == NULL) {
			perror(argv[i]);
			return 1;
		}
		for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
			if (e->d_name[0] == '.')
				continue;
			if (run_file(argv[i], e->d_name) != 0)
				return 1;
			files++;
		}
		closedir(d);
	}
	printf("%d inputs\n", files);
	return files > 0 ? 0 : 1;
}
