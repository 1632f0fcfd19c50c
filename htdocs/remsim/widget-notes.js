/** What people write down for each other: text as it stands, with its line breaks. */

import { el } from './dom.js';
import { panel } from './widget-panel.js';

export function make(board, settings, title) {
	const { t } = board.options, text = settings.text || '';
	return panel(title, text ? el('p.remsim-note', {}, text) : el('p.remsim-absent', {}, t('Nothing is written here yet.')));
}
