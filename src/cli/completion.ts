/** `vsb completion SHELL`: a script that completes verbs, flags and their choices; made from the verbs themselves. */
import { Argument, type Command, type Option } from 'commander';
import { writeData } from './verb.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What can be written after one verb (`''`: after `vsb` itself). */
interface Words {
  /** Verb path, `vm start`. */
  readonly path: string;
  readonly verbs: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly {
    readonly name: string;
    readonly summary: string;
    readonly choices: readonly string[];
  }[];
  /** Fixed words that an argument may be. */
  readonly choices: readonly string[];
}

export function add(program: Command): void {
  program
    .command('completion')
    .summary('a completion script for a shell')
    .description('Prints a script that completes verbs, flags, choices and files.')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Example:
  vsb completion bash > /etc/bash_completion.d/vsb
  vsb completion zsh > "\${fpath[1]}/_vsb"
  vsb completion fish > ~/.config/fish/completions/vsb.fish`,
    )
    .action((shell: (typeof SHELLS)[number]) => {
      const all = wordsOf(program, []);
      const render = { bash: renderBash, zsh: renderZsh, fish: renderFish }[shell];
      writeData(render(all));
    });
}

function wordsOf(command: Command, path: readonly string[]): Words[] {
  const own: Words = {
    path: path.join(' '),
    verbs: command.commands.map((verb) => ({
      name: verb.name(),
      summary: verb.summary() || verb.description(),
    })),
    flags: command.createHelp().visibleOptions(command).flatMap(toFlag),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  };
  return [own, ...command.commands.flatMap((verb) => wordsOf(verb, [...path, verb.name()]))];
}

function toFlag(option: Option): Words['flags'] {
  const name = option.long ?? option.short;
  return name === undefined ? [] : [{ name, summary: option.description, choices: option.argChoices ?? [] }];
}

function renderBash(all: readonly Words[]): string {
  const cases = all.map(({ path, verbs, flags, choices }) => {
    const words = [...verbs.map((verb) => verb.name), ...choices, ...flags.map((flag) => flag.name)];
    return `    '${path}') words='${words.join(' ')}' ;;`;
  });
  const values = all
    .flatMap(({ path, flags }) => flags.map((flag) => ({ path, ...flag })))
    .filter((flag) => flag.choices.length > 0)
    .map((flag) => `    '${flag.path} ${flag.name}') choices='${flag.choices.join(' ')}' ;;`);
  return `# bash completion for vsb
_vsb() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' choices='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${path:+$path }\${COMP_WORDS[i]}" in
${verbPaths(all)
  .map((path) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path $prev" in
${values.join('\n')}
  esac
  if [ -n "$choices" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
    return
  fi
  case "$path" in
${cases.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  [ \${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _vsb vsb
`;
}

function renderZsh(all: readonly Words[]): string {
  return `#compdef vsb
# zsh completion for vsb, by way of the bash one
autoload -U +X bashcompinit && bashcompinit
${renderBash(all)}`;
}

function renderFish(all: readonly Words[]): string {
  const lines = all.flatMap(({ path, verbs, flags, choices }) => {
    const names = path === '' ? [] : path.split(' ');
    const when =
      path === ''
        ? '__fish_use_subcommand'
        : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    return [
      ...verbs.map(
        (verb) => `complete -c vsb -n '${when}' -f -a '${verb.name}' -d ${fishText(verb.summary)}`,
      ),
      ...choices.map((choice) => `complete -c vsb -n '${when}' -f -a '${choice}'`),
      ...flags.map(
        (flag) =>
          `complete -c vsb -n '${when}' -l ${flag.name.replace(/^-+/, '')} -d ${fishText(flag.summary)}` +
          (flag.choices.length > 0 ? ` -x -a '${flag.choices.join(' ')}'` : ''),
      ),
    ];
  });
  return `# fish completion for vsb\n${lines.join('\n')}\n`;
}

function verbPaths(all: readonly Words[]): string[] {
  return all.map(({ path }) => path).filter((path) => path !== '');
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
