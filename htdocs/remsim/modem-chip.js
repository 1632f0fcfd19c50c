/** A modem in one line: bars, name, technology. The same wherever a modem is named. */

import { el, fill, setText } from './dom.js';
import { number } from './format.js';
import { showRemote, signalBars } from './modem-card.js';
import { bars, mainSignal, quality } from './quality.js';
import { MODE_WORDS, VENDOR_WORDS } from './words.js';

/** Maker and model as people say it. */
function makeAndModel(modem) {
	return [VENDOR_WORDS[modem.vendor] ?? modem.vendor, modem.model].filter(Boolean).join(' ');
}

export class ModemChip {
	constructor(t) {
		this._t = t;
		this.bars = el('span.remsim-barbox');
		this.name = el('b');
		this.model = el('span.remsim-muted');
		this.mode = el('span.remsim-mode');
		this.remote = el('span.remsim-remote', { hidden: true });
		this.root = el('span.remsim-chip', {}, this.bars, this.name, this.model, this.mode, this.remote);
	}

	update(modem) {
		const signal = modem.state === 'online' ? mainSignal(modem.reading) : null;
		const word = signal ? quality(signal.measure, signal.value) : null;
		const label = signal ? `${signal.label} ${number(signal.value)} dBm, ${word ? this._t(word) : ''}` : this._t('no signal value');
		if (label !== this._label)
			fill(this.bars, signalBars(signal ? bars(signal.measure, signal.value) : 0, label));
		this._label = label;
		setText(this.name, modem.name);
		setText(this.model, makeAndModel(modem));
		const mode = modem.state === 'online' && modem.reading ? MODE_WORDS[modem.reading.mode] || '' : '';
		setText(this.mode, mode);
		this.mode.hidden = !mode;
		showRemote(this.remote, modem.reading, this._t);
	}
}
