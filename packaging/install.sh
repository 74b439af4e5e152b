#!/bin/sh
# Copies swarmline, its manual pages and its completions below a folder: install.sh BINARY FOLDER
# The pages and completions are made by the binary itself, so it must run on this machine.
set -eu
[ $# = 2 ] || { echo "usage: install.sh BINARY FOLDER" >&2; exit 2; }
binary=$1
folder=$2
[ -x "$binary" ] || { echo "install.sh: $binary: no such program, see make build" >&2; exit 1; }
case $binary in */*) ;; *) binary=./$binary ;; esac

put() { # FILE ARGUMENT...: what swarmline prints for the arguments becomes FILE
  file=$folder/share/$1
  shift
  mkdir -p "${file%/*}"
  "$binary" "$@" >"$file"
  chmod 644 "$file"
}

mkdir -p "$folder/bin"
install -m 755 "$binary" "$folder/bin/swarmline"
put man/man1/swarmline.1 man
# The page of the program names those of its commands.
commands=$("$binary" man | sed -n 's/^swarmline\\-\([a-z]*\)(1)$/\1/p')
for command in $commands; do
  put "man/man1/swarmline-$command.1" man "$command"
done
put bash-completion/completions/swarmline completions bash
put zsh/site-functions/_swarmline completions zsh
put fish/vendor_completions.d/swarmline.fish completions fish
