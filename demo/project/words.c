#include "words.h"

#include <ctype.h>

int count_words(const char *text)
{
    int words = 0;

    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text)) {
            words++;
        }
    }
    return words;
}
