/* Counts the words of a text: what is between white space. */
#ifndef WORDS_H
#define WORDS_H

int count_words(const char *text);

#endif
