import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { toKeys } from '../../../../src/output/top/keys.ts';
import { renderTopPlain } from '../../../../src/output/top/plain.ts';
import { renderTopScreen, type Screen } from '../../../../src/output/top/screen.ts';
import type { TopSnapshot } from '../../../../src/output/top/snapshot.ts';
import { initialTopState, press, type TopState } from '../../../../src/output/top/state.ts';
import { widthOf } from '../../../../src/output/top/text.ts';
import { TerminalScreen } from '../../../support/terminalscreen.ts';
import { snapshotAfter } from './samples.ts';

const SCREENS = new URL('../../../fixtures/top/', import.meta.url);
const SNAPSHOT = snapshotAfter(60);

/** The state after typing. */
function typed(
  input: string,
  size: readonly [number, number],
  snapshot: TopSnapshot | undefined = SNAPSHOT,
): TopState {
  let state = initialTopState('vms');
  for (const key of toKeys(input)) state = press(state, key, draw(state, size, snapshot).shown);
  return state;
}

function draw(
  state: TopState,
  [width, height]: readonly [number, number],
  snapshot: TopSnapshot | undefined = SNAPSHOT,
  colour = false,
): Screen {
  return renderTopScreen(snapshot, state, { width, height, colour });
}

describe('renderTopScreen', () => {
  const GOLDEN: readonly (readonly [name: string, input: string, size: readonly [number, number]])[] = [
    ['vms-80x24', '', [80, 24]],
    ['vms-40x10', '', [40, 10]],
    ['vms-200x50', '', [200, 50]],
    ['vms-20x4', '', [20, 4]],
    ['pairs-80x24', '\t', [80, 24]],
    ['pairs-of-a-vm-80x24', '\x1b[B\r', [80, 24]],
    ['pairs-40x10', '\t', [40, 10]],
    ['conversations-not-looked-at-80x24', '\t\t', [80, 24]],
    ['conversations-80x24', '\t\t\r', [80, 24]],
    ['conversations-200x50', '\t\t\r', [200, 50]],
    ['conversations-of-a-pair-80x24', '\r\r', [80, 24]],
    ['filtered-by-name-in-bytes-paused-80x24', '/vm=web*\rb>> ', [80, 24]],
    ['filter-wrong-80x24', '/vm=web* and rate>X\r', [80, 24]],
    ['filter-choices-40x10', '/vm=\t', [40, 10]],
    ['filter-lets-nothing-pass-80x24', '/vm=nobody\r', [80, 24]],
    ['help-80x24', '?', [80, 24]],
  ];
  for (const [name, input, size] of GOLDEN)
    it(`is as in test/fixtures/top/${name}.txt, and not larger than the terminal`, () => {
      const { lines } = draw(typed(input, size), size);
      expect(lines).to.have.length(size[1]);
      for (const line of lines) expect(widthOf(line), line).to.be.at.most(size[0]);
      expectAsInFile(`${name}.txt`, `${lines.join('\n')}\n`);
    });

  it('fits every size, whatever is shown', () => {
    const inputs = ['', '\t', '\t\t\r', '?', '/vm=\t', '/rate>X\r', ' '];
    for (let width = 1; width <= 130; width += 7)
      for (let height = 1; height <= 30; height += 3)
        for (const input of inputs) {
          const screen = draw(typed(input, [width, height]), [width, height]);
          expect(screen.lines).to.have.length(height);
          for (const line of screen.lines) expect(widthOf(line), line).to.be.at.most(width);
          if (screen.cursor !== undefined && width >= 3) {
            expect(screen.cursor.row).to.be.within(0, height - 1);
            expect(screen.cursor.column).to.be.within(0, width - 1);
          }
        }
  });

  it('is the same text with and without colours', () => {
    for (const input of ['', '\t', '\t\t\r', '?', '/vm=\t', '/rate>X\r', ' /vm=web*\r']) {
      const state = typed(input, [80, 24]);
      const painted = new TerminalScreen(80, 24);
      painted.write(draw(state, [80, 24], SNAPSHOT, true).lines.join('\r\n'));
      const plain = new TerminalScreen(80, 24);
      plain.write(draw(state, [80, 24]).lines.join('\r\n'));
      expect(painted.text).to.equal(plain.text);
      expect(draw(state, [80, 24]).lines.join('')).to.not.match(/\p{Cc}/u);
    }
  });

  it('lets no control character of a name through', () => {
    const [vm] = SNAPSHOT.vms;
    if (!vm) throw new Error('no VM');
    const evil = { ...vm, row: { ...vm.row, vm: '\x1b[2J\nroot' }, topPeer: '\x9b31m' };
    const { lines } = draw(initialTopState('vms'), [80, 24], { ...SNAPSHOT, vms: [evil], bridges: ['\x07'] });
    expect(lines.join('')).to.not.match(/\p{Cc}/u);
    expect(lines.join('')).to.contain('?[2J?root');
  });

  it('says what could not be read, first', () => {
    const error = { bridge: 'br1', error: new Error('x') as never };
    const { lines } = draw(initialTopState('vms'), [40, 10], { ...SNAPSHOT, losses: [error] });
    expect(lines[1]).to.match(/^NOT READ: br1 {2}6 VMs/);
  });

  it('waits for the first reading', () => {
    const { lines } = renderTopScreen(undefined, initialTopState('vms'), {
      width: 40,
      height: 10,
      colour: false,
    });
    expect(lines.join('\n')).to.contain('Waiting for the first reading');
  });

  it('turns pages with the chosen row', () => {
    const size = [80, 7] as const;
    const page = (input: string): string => draw(typed(input, size), size).lines.join('\n');
    expect(page('')).to.match(/^▸db1/m).and.not.match(/idle/);
    expect(page('\x1b[6~')).to.match(/^▸a-virt|^▸idle/m);
    expect(page('G')).to.match(/^▸new/m);
    expect(page('Gk')).to.match(/^▸idle/m);
    expect(page('Gg')).to.match(/^▸db1/m);
  });
});

describe('renderTopPlain', () => {
  it('has all rows and columns, and no control characters', () => {
    expectAsInFile('plain.txt', renderTopPlain(SNAPSHOT, initialTopState('vms')));
  });
});

/** A file that is not there is written; it counts when somebody has looked at it. */
function expectAsInFile(name: string, text: string): void {
  const file = new URL(name, SCREENS);
  if (!existsSync(file)) {
    mkdirSync(SCREENS, { recursive: true });
    writeFileSync(file, text);
    throw new Error(`${name} was not there and is written: look at it, and run again`);
  }
  expect(text).to.equal(readFileSync(file, 'utf8'));
}
