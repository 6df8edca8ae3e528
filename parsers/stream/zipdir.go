package stream

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"defectdojo/gate"
)

// Bounds of an archive's directory, which archive/zip holds in memory.
const (
	maxDirectory = 8 << 20 // bytes
	endLength    = 22      // of the end record, without its comment
	headerLength = 46      // of a directory entry, without its name
)

// checkDirectory counts the members of an archive by walking its directory
// without holding it, and refuses one with too many: the number in the end
// record may lie.
func checkDirectory(at io.ReaderAt, size int64, members int) error {
	end, record, err := findEnd(at, size)
	if err != nil {
		return err
	}
	length, offset := int64(binary.LittleEndian.Uint32(record[12:])), int64(binary.LittleEndian.Uint32(record[16:]))
	if length == 0xffffffff || offset == 0xffffffff || binary.LittleEndian.Uint16(record[10:]) == 0xffff {
		if e, l, o, ok := findEnd64(at, end); ok {
			end, length, offset = e, l, o
		}
	}
	// archive/zip takes one of these two for the start.
	for _, start := range []int64{offset, end - length} {
		if start < 0 || start >= end {
			continue
		}
		if err := walkDirectory(io.NewSectionReader(at, start, size-start), members); err != nil {
			return err
		}
	}
	return nil
}

// findEnd finds the end record, which stands at the end but for a comment.
func findEnd(at io.ReaderAt, size int64) (int64, []byte, error) {
	n := min(size, endLength+65535)
	tail := make([]byte, n)
	if _, err := at.ReadAt(tail, size-n); err != nil && n > 0 && err != io.EOF {
		return 0, nil, err
	}
	for i := len(tail) - endLength; i >= 0; i-- {
		if bytes.HasPrefix(tail[i:], []byte("PK\x05\x06")) && i+endLength+int(binary.LittleEndian.Uint16(tail[i+20:])) <= len(tail) {
			return size - n + int64(i), tail[i : i+endLength], nil
		}
	}
	return 0, nil, Errorf("not a readable zip archive: it has no directory, or is cut short")
}

// findEnd64 finds the end record of an archive with 64-bit sizes.
func findEnd64(at io.ReaderAt, end int64) (at64, length, offset int64, ok bool) {
	var locator [20]byte
	if _, err := at.ReadAt(locator[:], end-20); end < 20 || err != nil || !bytes.HasPrefix(locator[:], []byte("PK\x06\x07")) {
		return 0, 0, 0, false
	}
	at64 = int64(binary.LittleEndian.Uint64(locator[8:])) //nolint:gosec // checked next
	var record [56]byte
	if at64 < 0 || at64 > end {
		return 0, 0, 0, false
	}
	if _, err := at.ReadAt(record[:], at64); err != nil || !bytes.HasPrefix(record[:], []byte("PK\x06\x06")) {
		return 0, 0, 0, false
	}
	return at64, int64(binary.LittleEndian.Uint64(record[40:])), int64(binary.LittleEndian.Uint64(record[48:])), true //nolint:gosec // checked by the caller
}

// walkDirectory counts entries until something else comes.
func walkDirectory(r io.Reader, members int) error {
	var header [headerLength]byte
	var length int64
	b := bufio.NewReaderSize(r, 4<<10)
	for n := 0; ; n++ {
		if _, err := io.ReadFull(b, header[:]); err != nil || !bytes.HasPrefix(header[:], []byte("PK\x01\x02")) {
			return nil // archive/zip says what is wrong
		}
		if n >= members {
			return gate.Errorf(gate.TooLarge, "the archive has more than %d members", members)
		}
		more := int64(binary.LittleEndian.Uint16(header[28:])) + int64(binary.LittleEndian.Uint16(header[30:])) + int64(binary.LittleEndian.Uint16(header[32:]))
		if length += headerLength + more; length > maxDirectory {
			return gate.Errorf(gate.TooLarge, "the archive's directory is larger than %d MiB", maxDirectory>>20)
		}
		if _, err := b.Discard(int(more)); err != nil {
			return nil
		}
	}
}
