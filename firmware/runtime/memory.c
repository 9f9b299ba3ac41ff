/* memcpy, memmove, memset: the only library functions that compiled code may call on its own. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    volatile uint8_t *d = to;
    const uint8_t *s = from;
    while (size-- != 0) {
        *d++ = *s++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    volatile uint8_t *d = to;
    const uint8_t *s = from;
    if ((uintptr_t)to < (uintptr_t)from) {
        while (size-- != 0) {
            *d++ = *s++;
        }
    } else {
        while (size-- != 0) {
            d[size] = s[size];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    volatile uint8_t *d = to;
    while (size-- != 0) {
        *d++ = (uint8_t)value;
    }
    return to;
}
