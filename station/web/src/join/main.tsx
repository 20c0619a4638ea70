import { render } from 'preact'
import '../ui/style.css'
import '../ui/media.css'
import '../ui/ecg.css'
import '../dicom/dicom.css'
import '../ui/join.css'
import '../ui/visit.css'
import { App } from './app'
import { Guest } from './client'
import { Enrolment, EnrolPage, readEnrolLink } from './enrol'
import { takeReturned } from './return'

const place = document.getElementById('app')!
const enrol = readEnrolLink(location.hash)
if (enrol) render(<EnrolPage enrolment={new Enrolment(enrol)} />, place)
else render(<App guest={new Guest(takeReturned())} />, place)

// Another link in the same window.
addEventListener('hashchange', () => location.reload())
