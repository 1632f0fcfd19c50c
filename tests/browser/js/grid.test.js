import assert from 'node:assert/strict';
import test from 'node:test';

import { arranged, heightOf, inOrder, splitAt, stepped, swapped, within } from '../../../htdocs/remsim/dashboard-grid.js';

const place = (id, x, y, w = 6, h = 4) => ({ id, x, y, w, h });
const places = widgets => Object.fromEntries(widgets.map(one => [one.id, [one.x, one.y]]));
const cells = widgets => widgets.flatMap(one => Array.from({ length: one.w * one.h }, (_, at) => `${one.x + at % one.w} ${one.y + Math.floor(at / one.w)}`));

test('who is in the way goes down, and holes close', () => {
	const widgets = [place('a', 0, 0), place('b', 6, 0), place('c', 0, 4, 12)];
	assert.deepEqual(places(arranged(widgets.map(one => one.id === 'c' ? { ...one, y: 0 } : one), 'c')), { c: [0, 0], a: [0, 4], b: [6, 4] });
	assert.deepEqual(places(arranged([place('a', 0, 9), place('b', 0, 30)])), { a: [0, 0], b: [0, 4] });
});

test('whatever is put anywhere, nothing overlaps and nothing is lost', () => {
	let seed = 7;
	const random = most => (seed = (seed * 48271) % 2147483647) % most;
	for (let round = 0; round < 200; round++) {
		const widgets = Array.from({ length: 1 + random(12) }, (_, at) => within(place(`w${at}`, random(14) - 1, random(20), 1 + random(12), 1 + random(9)), { w: 1, h: 1 }));
		const next = arranged(widgets, `w${random(widgets.length)}`);
		assert.equal(new Set(cells(next)).size, cells(next).length);
		assert.deepEqual(inOrder(next).length, widgets.length);
		assert.deepEqual(places(arranged(next)), places(next), 'what is arranged stays');
	}
});

test('a step moves by as little as makes a difference', () => {
	const widgets = [place('a', 0, 0), place('b', 0, 4), place('c', 6, 0)];
	const least = { w: 2, h: 2 };
	assert.deepEqual(places(stepped(widgets, 'a', [0, 1], false, least)), { b: [0, 0], a: [0, 4], c: [6, 0] });
	assert.deepEqual(places(stepped(widgets, 'b', [0, -1], false, least)), { b: [0, 0], a: [0, 4], c: [6, 0] });
	assert.equal(stepped(widgets, 'a', [0, -1], false, least), null);
	assert.equal(stepped(widgets, 'c', [1, 0], false, least), null);
	assert.equal(stepped(widgets, 'a', [1, 0], true, least).find(one => one.id === 'a').w, 7);
	assert.equal(stepped([place('a', 0, 0, 2, 2)], 'a', [-1, 0], true, least), null);
});

test('in one column a widget changes places with its neighbour', () => {
	const widgets = [place('a', 0, 0), place('b', 6, 0), place('c', 0, 4, 12)];
	const order = list => inOrder(list).map(one => one.id).join('');
	assert.equal(order(swapped(widgets, 'b', -1)), 'bac');
	assert.equal(order(swapped(widgets, 'b', 1)), 'acb');
	assert.equal(order(swapped(widgets, 'c', -1)), 'acb');
	assert.equal(swapped(widgets, 'a', -1), null);
	assert.equal(swapped(widgets, 'c', 1), null);
});

test('the bar of the period stands before what follows it and cuts nothing', () => {
	const widgets = [place('cards', 0, 0, 12, 8), place('note', 0, 8, 3, 10), place('chart', 3, 12, 9, 9)];
	assert.equal(splitAt(widgets, one => one.id === 'chart'), 8);
	assert.equal(splitAt(widgets, () => false), null);
	assert.equal(heightOf(widgets), 21);
	assert.equal(heightOf([]), 0);
});
