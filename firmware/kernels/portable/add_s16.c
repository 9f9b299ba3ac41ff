#include "mcu_arithmetic_s16.h"

#define KERNEL mcu_add_s16
#define ELEMENT int16_t
#define HEADROOM_BITS 15
#include "mcu_add_elements.h"
