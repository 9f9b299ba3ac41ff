/* What the runtime offers to generated firmware, and what it asks of it. */
#ifndef MCU_RUNTIME_H
#define MCU_RUNTIME_H

#include <stdint.h>

/* One inference, written by the code generator: reads the model's inputs and writes its outputs in the arena. */
void mcu_infer(void);

/* How many inferences main() still has to make. 1 after reset; may be written from outside while main() stands at
 * the beginning of a window. */
extern volatile uint32_t mcu_inferences;

/* Empty functions at distinct addresses, around each inference: whoever runs the firmware can stop there. */
void mcu_window_begin(void);
void mcu_window_end(void);

/* The end of the program. Never returns; `status` is in r0 at its first instruction. 0 = good. */
void mcu_exit(int32_t status) __attribute__((noreturn));

/* The console: transmit only, polled, and bounded in time even when the device never becomes ready. */
void mcu_console_init(void);
void mcu_console_write(const char *text);

#endif
