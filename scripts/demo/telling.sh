# How the demo tells what it does: scenes, commands with their output, and expectations that are counted.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' dim='' green='' red='' plain=''
fi

act=0 scene=0 failures=0

act() { act=$((act + 1)); scene=0; printf '\n%s=== Act %d: %s ===%s\n' "$bold" "$act" "$1" "$plain"; }
scene() { scene=$((scene + 1)); printf '\n%s%d.%d %s%s\n' "$bold" "$act" "$scene" "$1" "$plain"; }
tell() { printf '   %s\n' "$@"; }
command_line() { local line="${*//$dir\//}"; printf '   %s$ %s%s\n' "$dim" "${line//$tag-/}" "$plain"; }
shown() { sed "s|$dir/||g; s|$tag-||g; s/^/     /"; }

# Shows a command and its output; the command's status is the result.
run() { command_line "${@##*/dist/bin/}"; "$@" 2>&1 | shown; }

# expect WHAT COMMAND...: the command has to succeed.
expect() {
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf '   %s✓ as expected:%s %s\n' "$green" "$plain" "$what"
    else
        printf '   %s✗ NOT as expected: %s%s\n' "$red" "$what" "$plain"
        failures=$((failures + 1))
    fi
}

not() { ! "$@"; }

# Tries a command every 50 ms until it succeeds, for at most 20 seconds.
await() {
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    return 1
}

die() { echo "demo: $*" >&2; exit 1; }
