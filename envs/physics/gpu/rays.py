"""Device code that casts rays.

MJWarp's rays exclude one body in all worlds; these exclude a node per ray.
Convex meshes are tested by their few planes, and every geom of a world is
tested, because with few geoms that is faster than traversing a tree.

W: worlds, R: rays, G: geoms, C: worlds in which rays are cast.
"""

import warp as wp

wp.set_module_options({"enable_backward": False})

_NODE_NONE = wp.constant(-1)
_SPHERE = wp.constant(2)  # Numbered as in mujoco.mjtGeom.
_CAPSULE = wp.constant(3)
_BOX = wp.constant(6)
_FAR = wp.constant(1.0e10)


@wp.struct
class Scene:
  """The geoms through which rays are cast.

  Attributes:
    types: Types, numbered as in mujoco.mjtGeom, [G].
    nodes: The node of each geom, [G].
    planes: Normals and offsets of the meshes' faces, concatenated.
    plane_rows: First and last + 1 row of each mesh in `planes`, [meshes].
    size: Half sizes, [W, G].
    rbound: Radius of a sphere about the centre that contains the geom, [W, G].
    dataid: Mesh ids, [W, G].
    active: Geoms that are in use, [W, G].
    xpos, xmat: Poses, [W, G].
  """

  types: wp.array[int]
  nodes: wp.array[int]
  planes: wp.array[wp.vec4]
  plane_rows: wp.array[wp.vec2i]
  size: wp.array2d[wp.vec3]
  rbound: wp.array2d[float]
  dataid: wp.array2d[int]
  active: wp.array2d[wp.bool]
  xpos: wp.array2d[wp.vec3]
  xmat: wp.array2d[wp.mat33]


@wp.func
def _first(b: float, c: float) -> float:
  """Returns the smallest root >= 0 of t² + 2 b t + c, or _FAR for none."""
  det = b * b - c
  if det < 0.0:
    return _FAR
  root = wp.sqrt(det)
  near, far = -b - root, -b + root
  if near >= 0.0:
    return near
  return wp.where(far >= 0.0, far, _FAR)


@wp.func
def _box(half: wp.vec3, at: wp.vec3, along: wp.vec3) -> wp.vec4:
  """Returns distance and normal of the hit on a box centred at the origin."""
  enter, leave = float(-_FAR), float(_FAR)
  enter_axis, leave_axis = int(0), int(0)
  for i in range(3):
    if along[i] == 0.0:
      if wp.abs(at[i]) > half[i]:
        return wp.vec4(_FAR, 0.0, 0.0, 0.0)
    else:
      reach = half[i] / wp.abs(along[i])
      middle = -at[i] / along[i]
      if middle - reach > enter:
        enter, enter_axis = middle - reach, i
      if middle + reach < leave:
        leave, leave_axis = middle + reach, i
  if enter > leave or leave < 0.0:
    return wp.vec4(_FAR, 0.0, 0.0, 0.0)
  normal = wp.vec3(0.0, 0.0, 0.0)
  if enter >= 0.0:
    normal[enter_axis] = -wp.sign(along[enter_axis])
    return wp.vec4(enter, normal[0], normal[1], normal[2])
  normal[leave_axis] = wp.sign(along[leave_axis])
  return wp.vec4(leave, normal[0], normal[1], normal[2])


@wp.func
def _capsule(size: wp.vec3, at: wp.vec3, along: wp.vec3) -> wp.vec4:
  """Returns distance and normal of the hit on an upright capsule.

  The capsule's size is its radius and half length.
  """
  radius, half = size[0], size[1]
  best = float(_FAR)
  slope = along[0] * along[0] + along[1] * along[1]
  if slope > 0.0:
    b = (at[0] * along[0] + at[1] * along[1]) / slope
    c = (at[0] * at[0] + at[1] * at[1] - radius * radius) / slope
    t = _first(b, c)
    if t < _FAR and wp.abs(at[2] + t * along[2]) <= half:
      best = t
  for i in range(2):
    end = wp.where(i == 0, half, -half)
    away = at - wp.vec3(0.0, 0.0, end)
    t = _first(wp.dot(away, along), wp.dot(away, away) - radius * radius)
    if t < best and (at[2] + t * along[2] - end) * end >= 0.0:
      best = t
  hit = at + best * along
  hit[2] -= wp.clamp(hit[2], -half, half)
  normal = hit / radius
  return wp.vec4(best, normal[0], normal[1], normal[2])


@wp.func
def _convex(
  planes: wp.array[wp.vec4], rows: wp.vec2i, at: wp.vec3, along: wp.vec3
) -> wp.vec4:
  """Returns distance and normal of the hit on a mesh, from outside it."""
  enter, leave = float(-_FAR), float(_FAR)
  nearest = int(-1)
  for i in range(rows[0], rows[1]):
    plane = planes[i]
    normal = wp.vec3(plane[0], plane[1], plane[2])
    height = wp.dot(normal, at) - plane[3]
    rise = wp.dot(normal, along)
    if rise < 0.0:
      if -height / rise > enter:
        enter, nearest = -height / rise, i
    elif rise > 0.0:
      leave = wp.min(leave, -height / rise)
    elif height > 0.0:
      return wp.vec4(_FAR, 0.0, 0.0, 0.0)
  if nearest < 0 or enter < 0.0 or enter > leave:
    return wp.vec4(_FAR, 0.0, 0.0, 0.0)
  plane = planes[nearest]
  return wp.vec4(enter, plane[0], plane[1], plane[2])


@wp.func
def _hit(
  scene: Scene, world: int, geom: int, origin: wp.vec3, direction: wp.vec3
) -> wp.vec4:
  """Returns distance and normal of the hit on a geom, in the world frame."""
  away = origin - scene.xpos[world, geom]
  # Most rays miss even the sphere that contains the geom.
  radius = scene.rbound[world, geom]
  b = wp.dot(away, direction)
  c = wp.dot(away, away) - radius * radius
  if c > 0.0 and (b > 0.0 or b * b < c):
    return wp.vec4(_FAR, 0.0, 0.0, 0.0)
  geom_type = scene.types[geom]
  if geom_type == _SPHERE:
    t = _first(b, c)
    normal = (away + t * direction) / radius
    return wp.vec4(t, normal[0], normal[1], normal[2])
  frame = wp.transpose(scene.xmat[world, geom])
  at, along = frame @ away, frame @ direction
  found = wp.vec4(_FAR, 0.0, 0.0, 0.0)
  if geom_type == _BOX:
    found = _box(scene.size[world, geom], at, along)
  elif geom_type == _CAPSULE:
    found = _capsule(scene.size[world, geom], at, along)
  else:
    rows = scene.plane_rows[scene.dataid[world, geom]]
    found = _convex(scene.planes, rows, at, along)
  normal = scene.xmat[world, geom] @ wp.vec3(found[1], found[2], found[3])
  return wp.vec4(found[0], normal[0], normal[1], normal[2])


@wp.kernel
def cast(
  worlds: wp.array[int],  # [C]
  origins: wp.array3d[float],  # [C, R, 3]
  directions: wp.array3d[float],  # [C, R, 3]
  exclude: wp.array2d[int],  # [C, R]
  wanted: wp.array2d[wp.bool],  # [C, R]; None for all.
  scene: Scene,
  distance: wp.array2d[float],  # [C, R]
  node: wp.array2d[int],  # [C, R]
  normal: wp.array3d[float],  # [C, R, 3]
):
  """Finds the nearest hit of each wanted ray; the distance is -1 for none."""
  row, ray = wp.tid()
  if wanted and not wanted[row, ray]:
    distance[row, ray] = -1.0
    node[row, ray] = _NODE_NONE
    return
  world = worlds[row]
  origin = wp.vec3(
    origins[row, ray, 0], origins[row, ray, 1], origins[row, ray, 2]
  )
  direction = wp.vec3(
    directions[row, ray, 0], directions[row, ray, 1], directions[row, ray, 2]
  )
  skipped = exclude[row, ray]
  best = wp.vec4(_FAR, 0.0, 0.0, 0.0)
  found = int(_NODE_NONE)
  for geom in range(scene.types.shape[0]):
    if scene.active[world, geom]:
      owner = scene.nodes[geom]
      # No geom belongs to node -1, so -1 excludes nothing.
      if owner != skipped:
        hit = _hit(scene, world, geom, origin, direction)
        if hit[0] < best[0]:
          best, found = hit, owner
  distance[row, ray] = wp.where(best[0] < _FAR, best[0], -1.0)
  node[row, ray] = found
  for i in range(3):
    normal[row, ray, i] = best[1 + i]
