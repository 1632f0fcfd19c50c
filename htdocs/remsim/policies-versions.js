/** Texts that were in force before, what each would change now, and the way back. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { epoch, moment } from './format.js';
import { differences, shortened } from './policies-diff.js';
import { errorText } from './remote-data.js';

const MARKS = { same: ' ', gone: '−', new: '+' };

export class VersionsTab {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.list = el('ol.remsim-versions');
		this.root = el('section.remsim-panel', { 'aria-label': t('Versions') }, el('header', {}, el('h2', {}, t('Versions'))), el('p.remsim-help', {}, t('A rollback is a new version itself, so there is a way back from it, too.')), this.list);
	}

	show() {
		this._load();
	}

	update() {
		const { version } = this._ctx.data.view;
		if (this._version !== undefined && this._version !== version)
			this._load();
		this._version = version;
	}

	async _load() {
		const { t, request } = this._ctx;
		try {
			const { versions } = await request('policies/versions');
			fill(this.list, versions.length ? versions.map(version => this._row(version)) : el('li.remsim-muted', {}, t('There is none yet.')));
		} catch (error) {
			fill(this.list, el('li.remsim-problem', {}, errorText(error), ' ', el('button', { type: 'button', click: () => this._load() }, t('Try again'))));
		}
	}

	_row(version) {
		const { t, options, store } = this._ctx, number = version.n ?? version.version, place = el('div.remsim-stack', { hidden: true });
		const look = version.is_current ? null : el('button', { type: 'button', 'aria-expanded': 'false', 'aria-label': t('What it changes: version %s', number), click: () => this._look(number, place, look) }, t('What it changes'));
		const back = version.is_current || options.readonly ? null : el('button.remsim-danger', { type: 'button', 'aria-label': t('Roll back to this: version %s', number), click: () => this._back(number, version) }, t('Roll back to this'));
		return el('li', { 'data-version': number }, el('div.remsim-tools', {}, el('b', {}, t('Version %s', number)), version.at ? el('time', { datetime: version.at }, moment(epoch(version.at), store.now())) : null, el('span', {}, version.actor || ''),
			version.source === 'remote' ? el('span.remsim-mode', {}, t('pushed')) : null, version.is_current ? el('strong', {}, t('in use')) : null, version.note ? el('span.remsim-muted', {}, version.note) : null), el('div.remsim-submit', {}, look, back), place);
	}

	async _look(number, place, look) {
		const { t, request, data } = this._ctx, isShown = place.hidden;
		place.hidden = !isShown;
		look.setAttribute('aria-expanded', String(isShown));
		if (!isShown)
			return;
		try {
			const { text } = await request(`policies/versions/${number}`), rows = shortened(differences(data.view.text, text));
			fill(place, rows.length ? el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Differences') }, el('pre.remsim-diff', {}, rows.map(row => row === null ? el('span.remsim-muted', {}, '  …\n') : el(`span.remsim-diff-${row.kind}`, {}, `${MARKS[row.kind]} ${row.text}\n`)))) : el('p.remsim-absent', {}, t('Nothing changes.')));
		} catch (error) {
			fill(place, el('p.remsim-problem', {}, errorText(error)));
		}
	}

	async _back(number, version) {
		const { t, root, request, data, store, said, failed } = this._ctx;
		const texts = [t('The policies become what they were on %s, at once.', moment(epoch(version.at), store.now()))];
		if (!await ask(root, { title: t('Roll back to version %s?', number), texts, yes: t('Roll back'), t }))
			return;
		try {
			await request('policies/rollback', { method: 'POST', body: { version: number } });
			await data.load();
			said(t('Rolled back to version %s.', number));
			await this._load();
		} catch (error) {
			failed(error);
		}
	}
}
