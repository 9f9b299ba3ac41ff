/* memcpy, memmove, memset, memcmp: all that compilers may call on their own, under both of the names that they use
 * (Arm's run-time ABI, IHI 0043, 5.3.4, has its own for the first three). Words where both sides allow it; no access
 * is unaligned on cores that cannot do that. */
#include <stddef.h>
#include <stdint.h>

/* GCC would otherwise turn these very loops into calls of the functions that they are in; LLVM would unroll each of
 * them fourfold, for 1.5 KiB that bring nothing. */
#if defined(__clang__)
#define LOOP _Pragma("clang loop unroll(disable)")
#else
#define LOOP
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

typedef uint32_t __attribute__((may_alias)) word_t;

/* Copied as one, which compilers do with LDM and STM. */
struct words {
    uint32_t word[4];
} __attribute__((may_alias));

/* Not through memcpy: on cores that must load it by bytes, GCC calls memcpy for that. */
struct unaligned_word {
    uint32_t word;
} __attribute__((packed, may_alias));

#define WORD sizeof(word_t)
#define IS_ALIGNED(address) ((uintptr_t)(address) % WORD == 0)

/* Below this many bytes, lining up costs more than words bring. */
#define LEAST_FOR_WORDS 8u

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *one, const void *other, size_t size);

__attribute__((noinline)) void *memcpy(void *to, const void *from, size_t size)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    if (size >= LEAST_FOR_WORDS) {
        LOOP
        while (!IS_ALIGNED(d)) {
            *d++ = *s++;
            size--;
        }
        if (IS_ALIGNED(s)) {
            LOOP
            for (; size >= sizeof(struct words); size -= sizeof(struct words)) {
                *(struct words *)(void *)d = *(const struct words *)(const void *)s;
                d += sizeof(struct words);
                s += sizeof(struct words);
            }
        }
#if defined(__ARM_FEATURE_UNALIGNED)
        LOOP
        for (; size >= WORD; size -= WORD) {
            *(word_t *)(void *)d = ((const struct unaligned_word *)(const void *)s)->word;
            d += WORD;
            s += WORD;
        }
#else
        if (IS_ALIGNED(s)) {
            LOOP
            for (; size >= WORD; size -= WORD) {
                *(word_t *)(void *)d = *(const word_t *)(const void *)s;
                d += WORD;
                s += WORD;
            }
        }
#endif
    }
    LOOP
    while (size-- != 0) {
        *d++ = *s++;
    }
    return to;
}

/* Copy upwards; right for overlapping areas as long as `d` is the lower address. */
static void copy_up(uint8_t *d, const uint8_t *s, size_t size)
{
    if (size >= LEAST_FOR_WORDS && (uintptr_t)d % WORD == (uintptr_t)s % WORD) {
        LOOP
        while (!IS_ALIGNED(d)) {
            *d++ = *s++;
            size--;
        }
        LOOP
        for (; size >= WORD; size -= WORD) {
            *(word_t *)(void *)d = *(const word_t *)(const void *)s;
            d += WORD;
            s += WORD;
        }
    }
    LOOP
    while (size-- != 0) {
        *d++ = *s++;
    }
}

/* Copy downwards; right for overlapping areas as long as `d` is the higher address. */
static void copy_down(uint8_t *d, const uint8_t *s, size_t size)
{
    d += size;
    s += size;
    if (size >= LEAST_FOR_WORDS && (uintptr_t)d % WORD == (uintptr_t)s % WORD) {
        LOOP
        while (!IS_ALIGNED(d)) {
            *--d = *--s;
            size--;
        }
        LOOP
        for (; size >= WORD; size -= WORD) {
            d -= WORD;
            s -= WORD;
            *(word_t *)(void *)d = *(const word_t *)(const void *)s;
        }
    }
    LOOP
    while (size-- != 0) {
        *--d = *--s;
    }
}

__attribute__((noinline)) void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to <= (uintptr_t)from) {
        copy_up(to, from, size);
    } else {
        copy_down(to, from, size);
    }
    return to;
}

__attribute__((noinline)) void *memset(void *to, int value, size_t size)
{
    uint8_t *d = to;

    if (size >= LEAST_FOR_WORDS) {
        const word_t word = (uint8_t)value * 0x01010101u;
        LOOP
        while (!IS_ALIGNED(d)) {
            *d++ = (uint8_t)value;
            size--;
        }
        LOOP
        for (; size >= 4 * WORD; size -= 4 * WORD) {
            ((word_t *)(void *)d)[0] = word;
            ((word_t *)(void *)d)[1] = word;
            ((word_t *)(void *)d)[2] = word;
            ((word_t *)(void *)d)[3] = word;
            d += 4 * WORD;
        }
        LOOP
        for (; size >= WORD; size -= WORD) {
            *(word_t *)(void *)d = word;
            d += WORD;
        }
    }
    LOOP
    while (size-- != 0) {
        *d++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *one, const void *other, size_t size)
{
    const uint8_t *a = one;
    const uint8_t *b = other;

    LOOP
    for (; size != 0; size--, a++, b++) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}

#if defined(__clang__)

/* LLVM calls these; they return nothing. The digit promises an alignment of 4 or 8 bytes. */
void __aeabi_memcpy(void *to, const void *from, size_t size);
void __aeabi_memmove(void *to, const void *from, size_t size);
void __aeabi_memset(void *to, size_t size, int value);
void __aeabi_memclr(void *to, size_t size);

void __aeabi_memcpy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

void __aeabi_memmove(void *to, const void *from, size_t size)
{
    memmove(to, from, size);
}

void __aeabi_memset(void *to, size_t size, int value)
{
    memset(to, value, size);
}

void __aeabi_memclr(void *to, size_t size)
{
    memset(to, 0, size);
}

#define SAME_AS(function) __attribute__((alias(#function)))

void __aeabi_memcpy4(void *to, const void *from, size_t size) SAME_AS(__aeabi_memcpy);
void __aeabi_memcpy8(void *to, const void *from, size_t size) SAME_AS(__aeabi_memcpy);
void __aeabi_memmove4(void *to, const void *from, size_t size) SAME_AS(__aeabi_memmove);
void __aeabi_memmove8(void *to, const void *from, size_t size) SAME_AS(__aeabi_memmove);
void __aeabi_memset4(void *to, size_t size, int value) SAME_AS(__aeabi_memset);
void __aeabi_memset8(void *to, size_t size, int value) SAME_AS(__aeabi_memset);
void __aeabi_memclr4(void *to, size_t size) SAME_AS(__aeabi_memclr);
void __aeabi_memclr8(void *to, size_t size) SAME_AS(__aeabi_memclr);

#endif
