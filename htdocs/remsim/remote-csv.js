/** Slot maps as a file: written out, and read in after a look at what that would do. */

import { el, fill } from './dom.js';
import { errorText } from './remote-data.js';

const LARGEST = 60000;

export class MapCsv {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.link = el('a.remsim-button', { download: '', hidden: true }, t('Export as CSV'));
		this.file = el('input', { type: 'file', accept: '.csv,text/csv', 'aria-label': t('A CSV file of slot maps'), change: () => this._read() });
		this.outcome = el('div', { role: 'status' });
		this.root = el('details.remsim-panel', {}, el('summary', {}, el('h2', {}, t('Slot maps as a file'))),
			el('div.remsim-stack', {}, el('p.remsim-help', {}, t('One map a line: server, bank_id, bank_slot, client_id, client_slot, note. Maps that are not in the file stay.')),
				el('div.remsim-tools', {}, this.link, options.readonly ? null : el('label.remsim-tools', {}, t('Import:'), ' ', this.file)), this.outcome));
	}

	update() {
		const url = this._ctx.options.apiUrl('remote-sim/slotmaps.csv');
		this.link.hidden = !url;
		if (url && this.link.getAttribute('href') !== url)
			this.link.href = url;
	}

	async _read() {
		const { t } = this._ctx, [file] = this.file.files;
		if (!file)
			return;
		if (file.size > LARGEST) {
			fill(this.outcome, el('p.remsim-problem', {}, t('The file is larger than 60 kB: split it.')));
			return;
		}
		this._text = await file.text();
		await this._send(true);
	}

	async _send(isCheck) {
		const { t, request, said, data } = this._ctx;
		try {
			const answer = await request('remote-sim/slotmaps/import', { method: 'POST', body: { csv: this._text, check: isCheck } });
			const wrong = answer.wrong || [], isNothing = !answer.added && !answer.changed;
			fill(this.outcome,
				el('p', {}, isCheck ? t('This file would add %s, change %s and leave %s as they are.', answer.added, answer.changed, answer.same) : t('%s added, %s changed.', answer.added, answer.changed)),
				wrong.length ? [el('p.remsim-problem', {}, t('Lines that cannot be used:')), el('ul', {}, wrong.map(one => el('li', {}, t('line %s: %s', one.line, one.message))))] : null,
				isCheck && !isNothing && !wrong.length ? el('div.remsim-submit', {}, el('button.remsim-primary', { type: 'button', click: () => this._send(false) }, t('Import')), el('span.remsim-help', {}, t('Each new or changed map costs one modem reset.'))) : null,
				isCheck && wrong.length ? el('p.remsim-help', {}, t('Nothing is imported until all lines are right.')) : null);
			if (!isCheck) {
				this.file.value = '';
				said(t('The file is imported.'));
				await data.load();
			}
		} catch (error) {
			fill(this.outcome, el('p.remsim-problem', { role: 'alert' }, errorText(error)));
		}
	}
}
