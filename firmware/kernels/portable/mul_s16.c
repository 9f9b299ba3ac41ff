#include "mcu_arithmetic_s16.h"

#define KERNEL mcu_mul_s16
#define ELEMENT int16_t
#include "mcu_mul_elements.h"
