  refrendo request new        solicitar un certificado
  refrendo request submit     enviar un borrador o una solicitud devuelta
  refrendo request ls         listar solicitudes
  refrendo request show       mostrar una solicitud
  refrendo request statement  los bytes exactos que firma quien certifica
  refrendo request return     devolver una solicitud con observaciones
  refrendo request reject     rechazar una solicitud
  refrendo request withdraw   desistir de una solicitud sin certificar
  refrendo request retry      intentar de nuevo una solicitud fallida
