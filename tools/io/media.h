// SPDX-License-Identifier: Apache-2.0
//
// Pictures (.png) and sound (.wav) as tensors, and back. What a model wants
// differs, so modifiers may follow the name of the file, ':' before each:
//
//   cat.png:layout=nhwc:type=u8
//   cat.png:channels=bgr:mean=0.485,0.456,0.406:std=0.229,0.224,0.225
//   speech.wav:channels=mono:frames=16000+512
//
//   layout=    the dimensions in order, a letter each: n is 1, c channels, h
//              and w of a picture, t of sound; default nchw, and of sound nt
//              or, with several channels, nct
//   type=      f32 (the default), f16, u8, i16, ...
//   channels=  of a picture grey, rgb, bgr or rgba; default: grey or rgb, as
//              the file has; of sound mono (the mean); default: all
//   range=     LOW..HIGH: what black and white, or both full scales of sound,
//              become; floats: 0..1, of sound -1..1; integer types: the
//              numbers of the file
//   mean=, std=  a number, or one per channel: (x - mean) / std after range
//   frames=    FIRST+COUNT: that part of a sound
//
// Pictures are not resized and sound is not resampled. Arithmetic is in double
// and rounds once, to even; an integer type refuses what it cannot hold.
// Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), in the file's numbers.
//
// An output takes the same modifiers, which say what its tensor is, and so
// undoes what they do to an input: x * std + mean, then from range to the
// file's full scale. What the modifiers of the input were, those of the output
// give the same file again. What differs:
//
//   layout=    default by rank: hw, chw, nchw; of sound t, nt, nct; c may be
//              absent, n has to be 1
//   type=      of the file: u8 (the default) or u16 of a picture; i16 (the
//              default), u8, i32, f32 or f64 of sound; u16, u8 and i32 also
//              without being asked, when the tensor has that type
//   channels=  default: 1 is grey, 3 rgb, 4 rgba; of sound all
//   rate=      of sound, frames per second: 16000
//   outside=clip  writes the nearest number instead of a refusal where the
//              file cannot hold one
//
// Upper full scale of a sound of integers, 1 by default, is one above what the
// file can hold and becomes the number below it.
//
// Errors: those of png.h and wav.h; kInvalidArgument for a modifier, which is
// named with what is allowed, for a tensor whose shape or type is no picture
// or sound, for values that the file cannot hold, NaN among them.
#pragma once

#include "tools/io/host_tensor.h"

namespace kiln::tools {

/// True for "FILE.png", "FILE.wav", with or without modifiers.
bool isMedia(std::string_view text);
/// Where the modifiers begin, or the end of `text`.
size_t modifiersAt(std::string_view text);

Result<HostTensor> loadMedia(std::string_view text);
/// The bytes of the file; messages do not name it.
Result<std::vector<uint8_t>> formatMedia(std::string_view text,
                                         const HostTensor &tensor);
/// What formatMedia() would say of any tensor.
Status checkMediaOutput(std::string_view text);

} // namespace kiln::tools
