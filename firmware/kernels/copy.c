#include "mcu_copy.h"

void mcu_copy(void *destination, const void *source, size_t size) {
    __builtin_memcpy(destination, source, size);
}
