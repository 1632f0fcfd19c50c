/** The carriers in use, as a bar of their band widths and as a table. */

import { el, fill, setText, svg } from './dom.js';
import { number } from './format.js';
import { LiveTable } from './table.js';
import { quality } from './quality.js';
import { msg } from './words.js';

const ROLES = { pcc: msg('primary'), scc: msg('secondary'), nr: msg('5G'), nr_pcc: msg('5G primary'), nr_scc: msg('5G secondary') };
const WIDTH = 1000;

/** B3, n78; – when the band is not known. */
export function bandName(cell) {
	if (cell.band === null || cell.band === undefined)
		return '–';
	return `${cell.rat === 'NR' || String(cell.role || '').startsWith('nr') ? 'n' : cell.rat === 'UMTS' || cell.rat === 'GSM' ? '' : 'B'}${cell.band}`;
}

/** Columns every table of cells has. */
export function levelColumns(t) {
	const level = (label, name, unit, digits) => ({
		label: `${label} ${unit}`, isNumber: true, text: cell => number(cell[name], digits(cell[name])),
		look: cell => cell[name] === null || cell[name] === undefined ? 'remsim-absent' : `remsim-quality-${quality(name, cell[name])}`
	});
	return [
		{ label: 'PCI', isNumber: true, text: cell => number(cell.pci) },
		{ label: t('Channel'), isNumber: true, kind: 'channel', text: cell => number(cell.earfcn ?? cell.arfcn ?? cell.uarfcn) },
		level('RSRP', 'rsrp_dbm', 'dBm', () => 0), level('RSRQ', 'rsrq_db', 'dB', value => Number.isInteger(value) ? 0 : 1), level('SINR', 'sinr_db', 'dB', () => 0)
	];
}

export class Carriers {
	constructor(t) {
		this._t = t;
		this.total = el('span.remsim-muted');
		this.bar = el('div.remsim-carrierbar');
		this.table = new LiveTable([
			{ label: t('Carrier'), text: one => `${t(ROLES[one.role] || one.role || '–')}${one.state ? ` (${t(String(one.state).replaceAll('_', ' '))})` : ''}` },
			{ label: t('Band'), text: bandName },
			{ label: t('Width MHz'), isNumber: true, text: one => one.bw_ul_mhz && one.bw_ul_mhz !== one.bw_dl_mhz ? `${number(one.bw_dl_mhz)} ↓ ${number(one.bw_ul_mhz)} ↑` : number(one.bw_dl_mhz, one.bw_dl_mhz % 1 ? 1 : 0) },
			...levelColumns(t)
		], one => `${one.role} ${one.rat} ${one.band} ${one.pci}`, t('Carriers'));
		this.none = el('p.remsim-absent', {}, t('No carrier is known: the modem is idle, or does not report them.'));
		this.root = el('section.remsim-panel', {}, el('header', {}, el('h3', {}, t('Carriers')), this.total), this.bar, this.none, this.table.root);
	}

	show(carriers) {
		const t = this._t, known = carriers.filter(one => one.bw_dl_mhz), sum = known.reduce((total, one) => total + one.bw_dl_mhz, 0);
		this.none.hidden = carriers.length > 0;
		this.table.root.hidden = this.bar.hidden = !carriers.length;
		setText(this.total, sum ? t('%s MHz downlink in %s carriers', number(sum, sum % 1 ? 1 : 0), known.length) : '');
		this.table.show(carriers);
		const told = known.map(one => [one.role, bandName(one), one.bw_dl_mhz].join(' ')).join();
		if (told === this._told)
			return;
		this._told = told;
		let x = 0;
		const parts = known.map((one, at) => {
			const width = one.bw_dl_mhz / sum * WIDTH, isWide = width > 90;
			const part = [
				svg('rect', { x: x + 1, y: 0, width: Math.max(width - 2, 2), height: 34, rx: 3, class: `remsim-carrier ${bandName(one).startsWith('n') ? 'remsim-carrier-nr' : 'remsim-carrier-lte'}${at % 2 ? ' remsim-carrier-odd' : ''}` },
					svg('title', {}, `${bandName(one)}, ${one.bw_dl_mhz} MHz`)),
				isWide ? svg('text', { x: x + width / 2, y: 22, 'text-anchor': 'middle', class: 'remsim-carrier-text' }, `${bandName(one)} · ${one.bw_dl_mhz}`) : null
			];
			x += width;
			return part;
		});
		fill(this.bar, svg('svg', { viewBox: `0 0 ${WIDTH} 34`, preserveAspectRatio: 'none', role: 'img', 'aria-label': known.map(one => `${bandName(one)} ${one.bw_dl_mhz} MHz`).join(', ') }, parts.map(part => part[0])),
			el('div.remsim-carriernames', { 'aria-hidden': 'true' }, known.map(one => el('span', {}, `${bandName(one)} · ${one.bw_dl_mhz} MHz`))));
	}
}
