import assert from 'node:assert/strict';
import test from 'node:test';

import { isNight, turning } from '../../../htdocs/remsim/wall-layout.js';

test('a night goes over midnight, a midday does not', () => {
	assert.deepEqual(['21:59', '22:00', '00:00', '05:59', '06:00', '12:00'].map(now => isNight(now, '22:00', '06:00')), [false, true, true, true, false, false]);
	assert.deepEqual(['11:59', '12:00', '13:00'].map(now => isNight(now, '12:00', '13:00')), [false, true, false]);
	assert.deepEqual([isNight('12:00', '', ''), isNight('12:00', '12:00', '12:00')], [false, false]);
});

test('a page that is too high to be read turns as several, row by row', () => {
	const at = (id, x, y, h) => ({ id, x, y, w: 6, h }), page = { title: 'All', widgets: [at('a', 0, 0, 10), at('c', 6, 10, 9), at('b', 0, 10, 9), at('d', 0, 19, 9), at('e', 0, 28, 40)] };
	assert.deepEqual(turning(page, 20).map(one => one.widgets.map(({ id, y }) => [id, y])), [[['a', 0], ['b', 10], ['c', 10]], [['d', 0]], [['e', 0]]]);
	assert.deepEqual(turning(page, 68), [page]);
	assert.deepEqual(turning({ title: '', widgets: [] }, 20), [{ title: '', widgets: [] }]);
});
