/* SPDX-License-Identifier: MIT */
/*
 * A library that is loaded by dlopen(3) after the start. Its code is not
 * stepped, and that is told.
 *
 * prints:  1
 * ends:    status 0
 * reports: limit library
 * reports: output 1 1\\n
 * never:   enter *
 */
#include <dlfcn.h>
#include <stdio.h>

int main(void)
{
    void *library = dlopen("libm.so.6", RTLD_NOW);
    double (*cosine)(double);

    if (!library)
        return 1;
    cosine = (double (*)(double))dlsym(library, "cos");
    printf("%g\n", cosine(0));
    return 0;
}
