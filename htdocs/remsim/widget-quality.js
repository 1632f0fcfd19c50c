/** How good each modem's connection is, as one number with its word. */

import { el, fill, svg } from './dom.js';
import { NONE, withUnit } from './format.js';
import { qualityPercent, qualityWord } from './link-quality.js';
import { panel } from './widget-panel.js';

export function make(board, settings, title) {
	const { t } = board.options, frame = panel(title), list = el('ul.remsim-rows');
	fill(frame.body, list);

	const row = modem => {
		const percent = modem.state === 'online' ? qualityPercent(modem.reading) : null, word = percent === null ? 'none' : qualityWord(percent);
		const width = percent === null ? 0 : percent;
		return el('li.remsim-quality-row', {},
			el('strong', {}, modem.name),
			el(`b.remsim-quality-${word}`, {}, percent === null ? NONE : withUnit(percent, '%')),
			el('span.remsim-absent', {}, percent === null ? t('no signal value') : t(word)),
			svg('svg', { viewBox: '0 0 100 4', preserveAspectRatio: 'none', class: `remsim-meter remsim-meter-${word}`, 'aria-hidden': 'true' },
				svg('rect', { x: 0, y: 0, width: 100, height: 4, class: 'remsim-meter-rest' }), svg('rect', { x: 0, y: 0, width, height: 4 })));
	};
	const update = () => {
		const chosen = settings.modems || [], modems = board.store.list().filter(modem => !chosen.length || chosen.includes(modem.id));
		fill(list, modems.length ? modems.map(row) : el('li.remsim-absent', {}, t('None of these modems is there.')));
	};
	return { root: frame.root, state: update, reading: update };
}
