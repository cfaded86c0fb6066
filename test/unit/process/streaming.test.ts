import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { VsbError } from '../../../src/errors.ts';
import { startStreaming } from '../../../src/process/streaming.ts';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VsbError) return thrown.code;
    throw thrown;
  }
  return 'none';
}

describe('startStreaming()', () => {
  it('hands over output and lines of stderr as they come, and the end', async () => {
    const lines: string[] = [];
    await using program = startStreaming(
      'sh',
      ['-c', 'echo a; printf "one\ntw" >&2; printf "o\nrest" >&2; exit 3'],
      {
        netns: undefined,
        onErrorLine: (line) => lines.push(line),
      },
    );
    expect(await text(program.stdout)).to.equal('a\n');
    expect(await program.ended).to.deep.equal({ status: 3, stderr: 'one\ntwo\nrest' });
    expect(lines).to.deep.equal(['one', 'two']);
  });

  it('stops it by TERM, so that it can say its last words', async () => {
    let ready = (): void => undefined;
    const begun = new Promise<void>((resolve) => (ready = resolve));
    const script = 'trap "echo last; exit 0" TERM; echo ready >&2; while :; do sleep 0.01; done';
    await using program = startStreaming('sh', ['-c', script], { netns: undefined, onErrorLine: ready });
    await begun;
    program.stop();
    expect(await text(program.stdout)).to.equal('last\n');
    expect((await program.ended).status).to.equal(0);
  });

  it('says what is missing', async () => {
    const missing = startStreaming('no-such-program-of-vsb', [], { netns: undefined });
    expect(await codeOf(missing.ended)).to.equal('PROGRAM_MISSING');
    const nowhere = startStreaming('true', [], { netns: 'vsb-no-such' });
    expect(await codeOf(nowhere.ended)).to.equal('NETNS_MISSING');
  });
});
