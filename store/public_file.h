/* public_file - names of the files beside the rows of public/. */
#ifndef REFRENDO_STORE_PUBLIC_FILE_H
#define REFRENDO_STORE_PUBLIC_FILE_H

#include <refrendo/store.h>

#define PUBLIC_FILE_LEN 21 /* "body-" and 16 hexadecimal digits */
bool public_file_is_name(struct bytes name);

#endif
