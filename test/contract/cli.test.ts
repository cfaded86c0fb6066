import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect } from 'chai';
import { addVerb } from '../../src/cli/verbs.ts';

/** Every command that does something, with its path: `vm start`. */
function leaves(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: path.join(' '), command }];
  return command.commands.flatMap((verb) => leaves(verb, [...path, verb.name()]));
}

describe('command line', () => {
  let program: Command;

  before(async () => {
    program = new Command('vsb');
    await addVerb(program, undefined);
  });

  it('has the verbs that the README lists, and no others', () => {
    const rows = [...readFileSync('README.md', 'utf8').matchAll(/^\| `([a-z]+)[^`]*` \| /gm)];
    expect(rows.map(([, verb]) => verb).sort()).to.deep.equal(
      program.commands.map((verb) => verb.name()).sort(),
    );
  });

  it('has an example in the help of each verb', () => {
    for (const { path, command } of leaves(program)) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(help, path).to.match(/^Examples?:\n +vsb |^ *eval "\$\(vsb /m);
    }
  });

  it('has a variable VSB_… for each flag', () => {
    for (const { path, command } of leaves(program)) {
      for (const option of command.options) {
        expect(option.envVar, `${path} ${option.flags}`).to.match(/^VSB_[A-Z_]+$/);
      }
    }
  });

  it('finds each environment variable that the README names', () => {
    const known = new Set(
      leaves(program).flatMap(({ command }) => command.options.map(({ envVar }) => envVar)),
    );
    const named = [...readFileSync('README.md', 'utf8').matchAll(/`(VSB_[A-Z_]+)`/g)].map(([, name]) => name);
    expect(named.length).to.be.greaterThan(0);
    expect([...known]).to.include.members(named);
  });
});
