#!/bin/sh
# Makes the clips beside it anew with ffmpeg, which must have libx264, libx265, libvpx, libopus, libvorbis and libwebp.
# They are committed: tests need no ffmpeg. Each is as small as it can be; what is asked of them is in ../clips.rs.
set -eu
cd "$(dirname "$0")"

run() { ffmpeg -hide_banner -loglevel error -nostdin -y "$@"; }
# Two seconds of a flat colour, which costs next to nothing, with a tone where there is to be sound.
picture="-f lavfi -i color=c=navy:s=320x240:r=25:d=2"
tone="-f lavfi -i sine=frequency=440:sample_rate=16000:duration=2"
h264="-c:v libx264 -preset veryslow -crf 51 -g 250 -pix_fmt yuv420p"
aac="-c:a aac -b:a 8k -ac 1"
# The same bytes wherever it runs, as far as ffmpeg lets one.
same="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"

# shellcheck disable=SC2086
{
run $picture $tone $h264 $aac $same moov-last.mp4
run $picture $tone $h264 $aac $same -movflags +faststart moov-first.mp4
run $picture $tone $h264 $aac $same -movflags +frag_keyframe+empty_moov+default_base_moof fragmented.mp4
# Encoded lying, shown upright: as phones record. (Older ffmpegs take the turn as metadata, newer as an input option.)
run -i moov-last.mp4 -c copy $same -metadata:s:v rotate=90 rotated.mp4
run $picture $h264 $same silent.mp4
run $tone $aac $same sound-only.mp4
run $picture $tone -c:v libx265 -preset veryslow -crf 51 -tag:v hvc1 -x265-params log-level=none:info=0 $aac $same hevc.mp4
run $picture $tone $h264 $aac $same camera.mov
run $picture $tone -c:v mpeg4 -q:v 31 -c:a pcm_s16le -ar 4000 -ac 1 -t 1 $same mpeg4-pcm.mov
run $picture $tone $h264 -c:a libmp3lame -b:a 8k -ar 16000 -ac 1 $same mp3.mp4
run -f lavfi -i color=c=navy:s=320x240:r=30000/1001:d=2 $h264 $same ntsc.mp4
run $picture $tone -c:v libvpx-vp9 -b:v 1k -deadline realtime -c:a libopus -b:a 6k $same vp9-opus.webm
run $picture $tone -c:v libvpx -b:v 1k -deadline realtime -c:a libvorbis -q:a -1 -ac 1 $same vp8-vorbis.webm
run $picture -c:v libvpx -b:v 1k -deadline realtime $same vp8-silent.webm
# Written to a pipe: no length anywhere, as browsers record.
run $picture $tone -c:v libvpx-vp9 -b:v 1k -deadline realtime -c:a libopus -b:a 6k $same -f webm pipe:1 | cat >recorded.webm
run $picture $tone $h264 -c:a libopus -b:a 6k $same h264-opus.mkv
still="-f lavfi -i color=c=navy:s=640x512 -frames:v 1"
run $still $same still.png
run $still -q:v 31 $same still.jpg
run -f lavfi -i color=c=navy:s=640x512:d=0.2:r=10 $same still.gif
run $still -c:v libwebp -q:v 1 $same still.webp
}

# A photo with a large block before its size, as cameras write previews and profiles.
{ head -c 2 still.jpg; printf '\377\341\100\000'; head -c 16382 /dev/zero; tail -c +3 still.jpg; } >large-profile.jpg

cat >sign-in.html <<'PAGE'

<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in &ndash; Example Drive</title></head>
<body><form action="/login"><input name="user"><input name="password" type="password"></form></body></html>
PAGE
# As S3 answers a link that has run out ("Error responses", Amazon S3 API reference, read in October 2026).
cat >expired.xml <<'PAGE'
<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires><Expires>2026-10-01T10:00:00Z</Expires><ServerTime>2026-10-02T10:00:00Z</ServerTime><RequestId>4442587FB7D0A2F9</RequestId><HostId>none</HostId></Error>
PAGE
printf '{"error": {"code": 403, "message": "The caller does not have permission"}}\n' >refused.json
