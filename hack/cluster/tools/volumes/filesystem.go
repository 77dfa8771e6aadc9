package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// imageOf is the file that holds the file system mounted on a volume's folder.
func imageOf(path string) string { return path + ".xfs" }

// makeFileSystem mounts a new file system of so many bytes on a folder; where one is mounted, by an attempt that was broken off later, it stays.
func makeFileSystem(path string, size int64) error {
	if isMounted(path) {
		return nil
	}
	image := imageOf(path)
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(image, size); err != nil {
		return err
	}
	// ext4 would ask for a capability to grow (CAP_SYS_RESOURCE) that root in a virtual machine need not have.
	if err := command("mkfs.xfs", "-q", image); err != nil {
		return err
	}
	return command("mount", "-o", "loop", image, path)
}

// removeFileSystem unmounts and deletes what makeFileSystem made, if it did.
func removeFileSystem(path string) error {
	if isMounted(path) {
		if err := command("umount", "--lazy", path); err != nil {
			return err
		}
	}
	if err := os.Remove(imageOf(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// growFileSystem makes a mounted file system larger, under whoever uses it.
func growFileSystem(path string, size int64) error {
	image := imageOf(path)
	if err := os.Truncate(image, size); err != nil {
		return err
	}
	device, err := output("losetup", "--noheadings", "--output", "NAME", "--associated", image)
	if err != nil {
		return err
	}
	if device == "" {
		return fmt.Errorf("%s is not attached", image)
	}
	if err := command("losetup", "--set-capacity", device); err != nil {
		return err
	}
	return command("xfs_growfs", path)
}

func isMounted(path string) bool {
	return command("mountpoint", "--quiet", path) == nil
}

func command(name string, args ...string) error {
	_, err := output(name, args...)
	return err
}

func output(name string, args ...string) (string, error) {
	text, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(text)))
	}
	return strings.TrimSpace(string(text)), nil
}
