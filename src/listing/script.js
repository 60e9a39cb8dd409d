
{
  const all = (selector) => [...document.querySelectorAll(selector)]
  all('h1 bdi:not(:last-child)').forEach((part, index, { length }) => {
    const link = document.createElement('a')
    link.href = '../'.repeat(length - index)
    part.replaceWith(link)
    link.append(part)
  })
  const count = all('tbody tr').length
  if (count > 9) {
    const [input, output] = all('input, output')
    const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    const named = (row) => [row, fold(row.cells[0].textContent)]
    let groups, timer
    const filter = () => {
      groups ??= all('tbody').map((group) => [group, [...group.rows].map(named)])
      const wanted = fold(input.value)
      let shown = 0
      for (const [group, rows] of groups) {
        let fitting = 0
        for (const [row, name] of rows) {
          const fits = name.includes(wanted)
          if (row.hidden == fits) row.hidden = !fits
          fitting += fits
        }
        group.hidden = !fitting
        if (fitting) group.style.containIntrinsicHeight = `${fitting * 2.6}rem`
        shown += fitting
      }
      output.value = wanted && `${shown.toLocaleString('en')} of ${count.toLocaleString('en')}`
    }
    input.oninput = () => {
      clearTimeout(timer)
      timer = setTimeout(filter, count / 400)
    }
    input.parentNode.hidden = false
  }
}
