/** Export and import of the whole configuration. */

import { el, setText } from './dom.js';

const LARGEST = 512 * 1024;

export class Transfer {
	/** `options`: t, request, isReadonly, chosen(document). */
	constructor(options) {
		const { t, isReadonly } = options;
		this._options = options;
		this.secrets = el('input', { type: 'checkbox' });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.file = el('input', { type: 'file', accept: '.json,application/json', 'aria-label': t('A file with settings'), change: () => this._read() });
		this.root = el('section.remsim-panel', { 'aria-label': t('Export and import') }, el('header', {}, el('h2', {}, t('Export and import'))),
			el('p.remsim-help', {}, t('All settings, also rules and channels, in one file.')),
			el('div.remsim-tools', {}, el('button', { type: 'button', click: () => this._export() }, t('Export')), el('label.remsim-check', {}, this.secrets, el('span', {}, t('with passwords')))),
			isReadonly ? null : [el('p.remsim-help', {}, t('An import shows what it changes first. Passwords that the file lacks stay.')), el('div.remsim-tools', {}, el('label', {}, t('Import'), ' ', this.file))],
			this.error);
	}

	refuse(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		this.error.scrollIntoView?.({ block: 'nearest' });
	}

	async _export() {
		this.error.hidden = true;
		try {
			const made = await this._options.request('config/export', { query: this.secrets.checked ? { secrets: 1 } : {} });
			const url = URL.createObjectURL(new Blob([`${JSON.stringify(made, null, '\t')}\n`], { type: 'application/json' }));
			const link = el('a', { href: url, download: 'remsim-config.json' });
			link.click();
			setTimeout(() => URL.revokeObjectURL(url), 0);
		} catch (error) {
			this.refuse(error);
		}
	}

	async _read() {
		const { t } = this._options, [file] = this.file.files;
		this.error.hidden = true;
		if (!file)
			return;
		try {
			if (file.size > LARGEST)
				throw new Error(t('This file is larger than any configuration: %s kB at most.', LARGEST / 1024));
			let document;
			try {
				document = JSON.parse(await file.text());
			} catch {
				throw new Error(t('This file is not JSON. Choose one that “Export” has made.'));
			}
			await this._options.chosen(document);
		} catch (error) {
			this.refuse(error);
		} finally {
			this.file.value = '';
		}
	}
}
