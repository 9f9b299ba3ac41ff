#!/bin/sh
# Builds app.elf beside this file.
set -e
cd "$(dirname "$0")"
arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -O2 -g -fno-inline-functions -ffreestanding -nostdlib -Wall -Wextra \
    -T app.ld app.c -lgcc -o app.elf
