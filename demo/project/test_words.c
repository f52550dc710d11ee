#include "words.h"

#include <stdio.h>

static int failures = 0;

static void check(const char *text, int expected)
{
    int found = count_words(text);

    if (found != expected) {
        printf("test_words.c: count_words(\"%s\") is %d, expected %d\n", text, found, expected);
        failures++;
    }
}

int main(void)
{
    check("", 0);
    check("one", 1);
    check("two words", 2);
    check("  spaces   around  ", 2);
    if (failures == 0) {
        puts("4 tests passed");
    }
    return failures == 0 ? 0 : 1;
}
