import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { lockSwitch } from '../../../src/app/lock.ts';
import { toVsbError } from '../../../src/errors.ts';

/** `free`, or the code of what is in the way. */
async function tryLock(remote: string): Promise<string> {
  try {
    await using _held = await lockSwitch(remote);
    return 'free';
  } catch (thrown) {
    return toVsbError(thrown).code;
  }
}

describe('lock of a switch', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'vsb-lock-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('is met by other spellings of the remote, and free again when it is let go', async () => {
    mkdirSync(join(directory, 'run'));
    writeFileSync(join(directory, 'run', 'db.sock'), '');
    symlinkSync('run', join(directory, 'var-run'));
    for (const [one, other] of [
      ['unix:DIR/run/db.sock', 'unix:DIR/var-run/db.sock'],
      ['unix:DIR/none.sock', 'unix:DIR/run/../none.sock'],
      ['tcp:vsb.invalid', 'tcp:VSB.invalid:6640'],
      ['ssl:[2001:db8::a]:6640', 'ssl:[2001:DB8::A]'],
    ] as const) {
      const first = one.replace('DIR', directory);
      const second = other.replace('DIR', directory);
      {
        await using _held = await lockSwitch(first);
        expect(await tryLock(second), second).to.equal('APPLY_BUSY');
      }
      expect(await tryLock(second), second).to.equal('free');
    }
  });

  it('is met by each of several remotes, and keeps none where it cannot have all', async () => {
    const a = `unix:${directory}/a.sock`;
    const b = `unix:${directory}/b.sock`;
    const c = `unix:${directory}/c.sock`;
    await using _held = await lockSwitch(`${b},${c}`);
    expect(await tryLock(`${c},${b}`)).to.equal('APPLY_BUSY');
    expect(await tryLock(`${a},${c}`)).to.equal('APPLY_BUSY');
    expect(await tryLock(a)).to.equal('free');
  });

  it('takes the same remote twice for one', async () => {
    const remote = `unix:${directory}/a.sock`;
    expect(await tryLock(`${remote},${remote}`)).to.equal('free');
  });
});
