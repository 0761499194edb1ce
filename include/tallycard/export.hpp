// SPDX-License-Identifier: Apache-2.0
#pragma once
#if defined(__GNUC__)
#define TALLYCARD_EXPORT __attribute__((visibility("default")))
#else
#define TALLYCARD_EXPORT
#endif
