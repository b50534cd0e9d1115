'use strict';
// What the rounds came to, as a table.

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const digits = (number, places) =>
  number === null || Number.isNaN(number) ? '–' : number.toFixed(places).replace(/\B(?=(\d{3})+(?!\d))/g, places ? '' : ',');

const column = (samples, name) => samples.map((sample) => sample[name]).filter((value) => value !== null && value !== undefined);
const middle = (samples, name) => {
  const values = column(samples, name);
  return values.length ? median(values) : null;
};
const sum = (samples, name) => {
  const values = column(samples, name);
  return values.length ? digits(values.reduce((all, one) => all + one, 0), 0) : '–';
};

function row({ name, durability, samples }) {
  const rates = column(samples, 'perSecond');
  const range = `${digits(median(rates), 0)} (${digits(Math.min(...rates), 0)}–${digits(Math.max(...rates), 0)})`;
  const processor = `${digits(middle(samples, 'engineMs'), 2)} \\| ${digits(middle(samples, 'databaseMs'), 2)}`;
  const faults = ['lost', 'duplicates', 'wrong'].map((fault) => sum(samples, fault)).join(' / ');
  return [
    name, durability, String(samples.length), range, processor, digits(middle(samples, 'memoryMb'), 0),
    digits(middle(samples, 'requests'), 2), faults,
  ];
}

const HEAD = [
  'runner', 'durability', 'runs', 'records/s, median (min–max)', 'processor ms/record, engine \\| database',
  'peak MB of the engine', 'requests/record', 'lost / duplicates / wrong, of all runs',
];

/** Rows in the order of their classes: only within a class do rates say who is faster. */
function table(results) {
  const order = ['none', 'per run', 'per job', 'per step'];
  const sorted = [...results].sort((a, b) => order.indexOf(a.durability) - order.indexOf(b.durability));
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(HEAD), line(HEAD.map(() => '---')), ...sorted.map((result) => line(row(result)))].join('\n');
}

module.exports = { table };
