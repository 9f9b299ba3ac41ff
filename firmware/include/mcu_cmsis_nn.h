/* Calls of the CMSIS-NN that the user has. What it refuses, and a buffer that it wants larger than was
 * planned, are mistakes of whoever generated the call, and end in a fault in the layer, whose output would be wrong. */
#ifndef MCU_CMSIS_NN_H
#define MCU_CMSIS_NN_H

#include "arm_nnfunctions.h"

#define MCU_CMSIS_NN(call)                    \
    do {                                      \
        if ((call) != ARM_CMSIS_NN_SUCCESS) { \
            __builtin_trap();                 \
        }                                     \
    } while (0)

#define MCU_CMSIS_NN_SCRATCH(needed, planned) \
    do {                                      \
        if ((needed) > (planned)) {           \
            __builtin_trap();                 \
        }                                     \
    } while (0)

#endif
