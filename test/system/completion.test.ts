import { expect } from 'chai';
import { run, runOrFail } from '../../src/process/run.ts';
import { vsb } from '../support/cli.ts';

/** What bash offers after these words, the last of which is being written. */
async function offered(script: string, words: readonly string[]): Promise<string[]> {
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${String(words.length - 1)}; _vsb; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return (await runOrFail('bash', ['-c', ask], { timeoutMs: 5000 })).trim().split('\n');
}

describe('vsb completion', function () {
  this.timeout(20_000);

  it('completes verbs, verbs of verbs, flags and their choices in bash', async () => {
    const { stdout: script, status } = await vsb(['completion', 'bash']);
    expect(status).to.equal(0);
    expect(await offered(script, ['vsb', 'pl'])).to.deep.equal(['plan']);
    expect(await offered(script, ['vsb', 'vm', 'sto'])).to.deep.equal(['stop']);
    expect(await offered(script, ['vsb', 'plan', '--det'])).to.deep.equal(['--detailed-exitcode']);
    expect(await offered(script, ['vsb', 'watch', 'po'])).to.deep.equal(['ports']);
    expect(await offered(script, ['vsb', 'plan', '--output', ''])).to.deep.equal(['table', 'json', 'yaml']);
    expect(await offered(script, ['vsb', 'plan', 'packa'])).to.include('package.json');
  });

  it('prints scripts for zsh and fish, and refuses other shells', async () => {
    expect((await vsb(['completion', 'zsh'])).stdout).to.match(/^#compdef vsb\n/);
    const fish = await vsb(['completion', 'fish']);
    expect(fish.stdout).to.contain("complete -c vsb -n '__fish_use_subcommand' -f -a 'apply'");
    const wrong = await vsb(['completion', 'tcsh']);
    expect(wrong.status).to.equal(64);
    expect(wrong.stderr).to.contain('bash');
  });

  it('prints a script that bash can read', async () => {
    const { stdout } = await vsb(['completion', 'bash']);
    const { status, stderr } = await run('bash', ['-n'], { timeoutMs: 5000, input: stdout });
    expect([status, stderr]).to.deep.equal([0, '']);
  });
});
