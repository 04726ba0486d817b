"""Names, sizes and units shared by the whole task space.

The task space is that of AdA (arXiv 2301.07608). Ids never change, because
stored arrays and observations contain them. Zero always means "none", so that
padded arrays are valid arrays.
"""

from typing import Final

from adaland.envs import tables

# --- Time --------------------------------------------------------------------
STEP_SECONDS: Final = 2 / 15  # One agent step: every 4th frame at 30 fps.
MIN_TRIAL_SECONDS: Final = 2.0  # AdA draws from 10 to 40 s; presets for small
MAX_TRIAL_SECONDS: Final = 40.0  # machines use shorter trials.
MAX_TRIALS: Final = 48

# --- Objects -----------------------------------------------------------------
SHAPES: Final = tuple(row.name for row in tables.SHAPES)
SHAPE_IDS: Final = tuple(row.id for row in tables.SHAPES)
COLOURS: Final = ("black", "purple", "yellow")  # Ids 1 to 3.
NUM_SHAPES: Final = len(SHAPES)
NUM_COLOURS: Final = len(COLOURS)
NUM_OBJECT_TYPES: Final = NUM_SHAPES * NUM_COLOURS
# A type id is 1 + row * NUM_COLOURS + colour - 1, with the shape's row in its
# table, from 0; players follow the objects. It depends on the table, so nothing
# that outlives a process contains type ids.
MAX_PLAYERS: Final = 2
PLAYER_TYPE_IDS: Final = (NUM_OBJECT_TYPES + 1, NUM_OBJECT_TYPES + 2)
NUM_TYPES: Final = NUM_OBJECT_TYPES + MAX_PLAYERS  # Without the zero.
# In observed and stored literals player n is (shape PLAYER_SHAPE, colour n).
PLAYER_SHAPE: Final = 5

# --- Predicates --------------------------------------------------------------
PREDICATES: Final = tuple(row.name for row in tables.PREDICATES)
NEAR_METRES: Final = tables.NEAR_METRES
TOUCHING_METRES: Final = 0.001

# --- Placeholders for hidden parts of rules ----------------------------------
# A hidden rule is a row with predicate HIDDEN_RULE and zeros otherwise.
HIDDEN_RULE: Final = 5
# Hidden predicate number n (from 1) has predicate id HIDDEN_RULE + n.
MAX_HIDDEN_PREDICATES: Final = 4
NUM_PREDICATE_IDS: Final = max(
  tables.FIRST_PREDICATE, tables.PREDICATES[-1].id + 1
)
# Hidden object number n (from 1) has shape id PLAYER_SHAPE + n, colour 0.
MAX_HIDDEN_OBJECTS: Final = 12
NUM_SHAPE_IDS: Final = max(tables.FIRST_SHAPE, SHAPE_IDS[-1] + 1)
NUM_COLOUR_IDS: Final = NUM_COLOURS + 1

# --- Array sizes -------------------------------------------------------------
MAX_RULES: Final = 16
MAX_SPAWNS: Final = 4
MAX_OBJECTS: Final = 24  # Object slots of the largest configuration.
LITERAL_WIDTH: Final = 6  # Negated, predicate, shape 1, colour 1, shape 2, ...
RULE_WIDTH: Final = LITERAL_WIDTH + 2 * MAX_SPAWNS  # One trigger, 4 spawns.

# --- World geometry, metres --------------------------------------------------
TILE_METRES: Final = 1.0
# Tile forms: 0 is flat; 1 to 4 are ramps that climb along +x, +y, -x, -y; 5 to
# 8 are diagonal cliffs that are higher in the corner +x+y, -x+y, -x-y, +x-y.
FIRST_DIAGONAL: Final = 5
LEVEL_METRES: Final = 0.5  # A ramp climbs one level over one tile.
MAX_TILES: Final = 20
MAX_LEVELS: Final = 4
BORDER_METRES: Final = 2.0  # Height of the outer wall above the top level.

# --- Avatar ------------------------------------------------------------------
AVATAR_RADIUS: Final = 0.25
AVATAR_HEIGHT: Final = 1.0
EYE_HEIGHT: Final = 0.85  # Above the avatar's feet.
WALK_SPEED: Final = 2.5  # Metres per second, forward and sideways.
PITCH_LIMIT: Final = 1.0  # Radians up or down.
START_PITCH: Final = -0.35  # Puts the floor a few steps ahead in view.
LOOK_RATE: Final = 1.0  # Radians per second.
TURN_RATES: Final = (-3.0, -0.8, 0.0, 0.8, 3.0)  # Radians/second, + is left.
FOV_X: Final = 1.5707963  # Horizontal field of view, radians; pixels are 4:3.
ASPECT: Final = 4 / 3
REACH_METRES: Final = 2.0
HAND_MIN_METRES: Final = 0.7
HAND_RATE: Final = 1.5  # Metres per second, nearer or farther.
# A held object is torn away when it lags this far behind the hand. The hand is
# a spring, so this also limits its force.
TEAR_METRES: Final = 0.6

# --- Actions: six categorical heads ------------------------------------------
ACTION_HEADS: Final = ("move", "strafe", "turn", "look", "grip", "hand")
ACTION_SIZES: Final = (3, 3, 5, 3, 2, 3)
# move: 0 back, 1 stay, 2 forward; strafe: 0 left, 1 stay, 2 right; turn:
# TURN_RATES, from right to left; look: 0 down, 1 stay, 2 up; grip: 0 open,
# 1 closed; hand: 0 nearer, 1 stay, 2 farther.
NOOP_ACTION: Final = (1, 1, 2, 1, 0, 1)
