/* The text of a kernel of two operands of plain numbers: KERNEL is its name, ELEMENT the type of its elements, PARAMETERS that of its
 * struct, RESULT the function of two elements. */
#include "mcu_broadcast.h"
#include "mcu_plain_arithmetic.h"

void KERNEL(ELEMENT *output, const ELEMENT *first, const ELEMENT *second, const struct PARAMETERS *parameters)
{
    const struct mcu_broadcast *const broadcast = &parameters->broadcast;
    const ELEMENT minimum = parameters->minimum;
    const ELEMENT maximum = parameters->maximum;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, broadcast);
    do {
        const ELEMENT *a = first + walk.at[0];
        const ELEMENT *b = second + walk.at[1];
        ELEMENT *const end = output + broadcast->length;
        while (output != end) {
            ELEMENT value = RESULT(*a, *b);
            value = value < minimum ? minimum : value;
            *output++ = value > maximum ? maximum : value;
            a += broadcast->step[0];
            b += broadcast->step[1];
        }
    } while (mcu_walk_next(&walk, broadcast));
}
