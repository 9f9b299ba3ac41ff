#define KERNEL mcu_add_s8
#define ELEMENT int8_t
#define HEADROOM_BITS 20
#include "mcu_add_elements.h"
