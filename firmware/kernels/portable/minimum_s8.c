#include "mcu_elementwise.h"

#define KERNEL mcu_minimum_s8
#define ELEMENT int8_t
#define BEYOND <
#include "mcu_extremum_elements.h"
