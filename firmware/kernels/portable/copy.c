#include "mcu_copy.h"

typedef uint32_t __attribute__((may_alias)) word;

void mcu_copy(void *destination, const void *source, size_t size)
{
    uint8_t *to = destination;
    const uint8_t *from = source;
    uint8_t *const end = to + size;
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0) {
        for (; size >= 16; size -= 16) {
            const word a = ((const word *)(const void *)from)[0];
            const word b = ((const word *)(const void *)from)[1];
            const word c = ((const word *)(const void *)from)[2];
            const word d = ((const word *)(const void *)from)[3];
            ((word *)(void *)to)[0] = a;
            ((word *)(void *)to)[1] = b;
            ((word *)(void *)to)[2] = c;
            ((word *)(void *)to)[3] = d;
            from += 16;
            to += 16;
        }
        for (; size >= 4; size -= 4) {
            *(word *)(void *)to = *(const word *)(const void *)from;
            from += 4;
            to += 4;
        }
    }
    while (to != end) {
        *to++ = *from++;
        /* Or compilers make a call of memcpy out of this loop, which costs more for the few bytes it is for. */
        __asm__ volatile("" ::: "memory");
    }
}

void mcu_fill(void *destination, int8_t value, size_t size)
{
    int8_t *to = destination;
    int8_t *const end = to + size;
    if (((uintptr_t)to & 3u) == 0) {
        const word four = (uint8_t)value * 0x01010101u;
        for (; size >= 8; size -= 8) {
            ((word *)(void *)to)[0] = four;
            ((word *)(void *)to)[1] = four;
            to += 8;
        }
    }
    while (to != end) {
        *to++ = value;
        __asm__ volatile("" ::: "memory");
    }
}
