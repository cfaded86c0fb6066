// Mocha's spec reporter, ended by one plain line that any tool can read: `N passed, N failed, N skipped`.
const { reporters } = require('mocha');

module.exports = class Reporter extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
};
