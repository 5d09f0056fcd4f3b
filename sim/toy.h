/* SPDX-License-Identifier: ISC
 *
 * sim/toy.h: a store that keeps everything in memory and nothing on disk: good enough in a world
 * without faults, and caught by the judges in one with them. For tests of the simulator itself.
 */
#ifndef POSTERN_SIM_TOY_H
#define POSTERN_SIM_TOY_H

#include "role/role.h"

extern const struct role_ops toy_store_ops;

#endif
