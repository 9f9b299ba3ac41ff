#define KERNEL mcu_mul_s8
#define ELEMENT int8_t
#include "mcu_mul_elements.h"
