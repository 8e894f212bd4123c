import { describe, expect, test } from 'vitest';
import { readTarget, unseenClasses } from '#shardfit/data/target.js';

function target(cells: (string | number)[], task?: 'class' | 'number') {
  const lines = cells.map((_, row) => row + 2);
  return readTarget({ source: 'T', name: 'y', cells: cells.map(String), lines }, task);
}

const repeated = (values: (string | number)[], times: number) => Array.from({ length: times }, () => values).flat();

test('classes that only the last rows have are found', () => {
  const read = target(['a', 'b', 'a', 'c', 'b', 'd', 'c']);
  expect(unseenClasses(read, 3)).toEqual({ rows: 3, labels: ['c', 'd'] });
  expect(unseenClasses(read, 7)).toEqual({ rows: 0, labels: [] });
  expect(unseenClasses(target([0.5, 1.5]), 1)).toEqual({ rows: 0, labels: [] });
});

describe('what a target is taken for', () => {
  test('text is a class, labels sorted', () => {
    const read = target(['dog', 'cat', 'dog', 'ant']);
    expect(read).toMatchObject({ kind: 'class', classes: ['ant', 'cat', 'dog'] });
    expect([...read.values]).toEqual([2, 1, 2, 0]);
  });

  test('few whole numbers are classes, in the order of their values', () => {
    const read = target(repeated([10, 9, '9.0', '010'], 2));
    expect(read).toMatchObject({ kind: 'class', classes: ['9', '10'] });
    expect([...read.values].slice(0, 4)).toEqual([1, 0, 0, 1]);
  });

  test('20 whole numbers on 3 rows each are classes; 21, or fewer rows, are numbers', () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
    expect(target(repeated(upTo(20), 3)).kind).toBe('class');
    expect(target(repeated(upTo(21), 3)).kind).toBe('number');
    expect(target(repeated(upTo(20), 2)).kind).toBe('number');
  });

  test('fractions are numbers', () => {
    expect(target(repeated([0, 0.5, 1], 10)).kind).toBe('number');
  });

  test('a number that is missing is no class', () => {
    expect(() => target(['NaN', 3])).toThrow(/line 2, .* is 'NaN', not a finite number/);
    expect(() => target(['n/a', 'n/a', 1])).toThrow(/line 2, .* is 'n\/a', not a finite number/);
    expect(() => target(['NaN', 'x', 'y'])).toThrow(/line 2, .* is 'NaN' among labels/);
    expect(target(['none', 'mild', 'none', 'none'])).toMatchObject({ classes: ['mild', 'none'] });
  });

  test('many numbers with few rows each are no classes, even if asked for', () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
    expect(() => target(upTo(300), 'class')).toThrow(/holds 300 different numbers on 300 rows/);
    expect(target(repeated(upTo(300), 3), 'class').kind).toBe('class');
  });

  test('the task asked for wins', () => {
    expect(target(repeated([0, 1], 5), 'number')).toMatchObject({ kind: 'number' });
    expect(target([1.5, 2.5, 1.5], 'class')).toMatchObject({ kind: 'class', classes: ['1.5', '2.5'] });
    expect(target(['NaN', 'x'], 'class')).toMatchObject({ classes: ['NaN', 'x'] });
    expect(() => target(['a', 'b'], 'number')).toThrow("T, line 2, column 'y' (the target): is 'a', not a number");
  });
});
