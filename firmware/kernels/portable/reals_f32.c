#include "mcu_plain_arithmetic.h"

#include "mcu_requantize.h"

MCU_INLINE float add(float a, float b)
{
    return a + b;
}

MCU_INLINE float subtract(float a, float b)
{
    return a - b;
}

MCU_INLINE float multiply(float a, float b)
{
    return a * b;
}

MCU_INLINE float divide(float a, float b)
{
    return a / b;
}

#define ELEMENT float
#define PARAMETERS mcu_reals
#define KERNEL mcu_add_f32
#define RESULT add
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_subtract_f32
#define RESULT subtract
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_multiply_f32
#define RESULT multiply
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_divide_f32
#define RESULT divide
#include "mcu_plain_elements.h"
